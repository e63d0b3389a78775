// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer vmx-caps - what the recorded CPUs can do in VMX operation
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/file/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/caps.h"
#include "analyzer/query/db.h"
#include "base/units.h"

#define COLUMNS(c) (int)(sizeof(c) / sizeof((c)[0]))

enum { EXTRA_REASONS, EXTRA_MSRS, EXTRA_CPU };

static const struct extra_option extra[] = {
	{"reasons", NULL, "which exit reasons can occur with these CPUs and parameters"},
	{"msrs", NULL, "the MSRs' values on each CPU"},
	{"cpu", "N", "logical CPU to show (default: the first)"},
	{0},
};

static const struct out_column control_columns[] = {
	{"msr", "MSR", OUT_TEXT, 0},	     {"group", "GROUP", OUT_TEXT, 5},
	{"bit", "BIT", OUT_ID, 1},	     {"name", "NAME", OUT_TEXT, 0},
	{"can_set", "SET", OUT_TEXT, 0},     {"can_clear", "CLEAR", OUT_TEXT, 0},
	{"value", "VALUE", OUT_TEXT, 0},     {"reasons", "REASONS", OUT_TEXT, 4},
	{"differs", "DIFFERS", OUT_TEXT, 2},
};

static const struct out_column reason_columns[] = {
	{"reason", "REASON", OUT_ID, 0},	 {"name", "NAME", OUT_TEXT, 0},
	{"can_occur", "CAN OCCUR", OUT_TEXT, 0}, {"because", "BECAUSE", OUT_TEXT, 1},
	{"exits", "EXITS", OUT_COUNT, 0},
};

static const struct out_column msr_columns[] = {
	{"cpu", "CPU", OUT_ID, 0},
	{"msr", "MSR", OUT_TEXT, 0},
	{"name", "NAME", OUT_TEXT, 0},
	{"value", "VALUE", OUT_TEXT, 0},
};

static const char *const verdicts[] = {
	[CAPS_NO] = "no",
	[CAPS_NESTED] = "nested",
	[CAPS_YES] = "yes",
	[CAPS_UNKNOWN] = "unknown",
};

/* One row of the controls: a bit, or what is said of a whole word. */
struct row {
	char msr[24];
	const struct vmx_cap_word *word;
	const struct vmx_cap_bit *bit; /* NULL: the word */
};

static __attribute__((format(printf, 3, 4))) void append(char *text, size_t size,
							 const char *format, ...)
{
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + used, size - used, format, ap);
	va_end(ap);
}

static void hex(char text[24], uint64_t value)
{
	snprintf(text, 24, "0x%" PRIx64, value);
}

/* Whether @cpu gives another answer about @mask of @word than @shown. */
static bool differs(const struct vmx_caps_cpu *cpu, const struct vmx_caps_cpu *shown,
		    const struct vmx_cap_word *word, uint64_t mask)
{
	if (vmx_cap_word_known(cpu, word) != vmx_cap_word_known(shown, word))
		return true;
	return ((vmx_cap_may_be_1(cpu, word) ^ vmx_cap_may_be_1(shown, word)) & mask) ||
	       ((vmx_cap_may_be_0(cpu, word) ^ vmx_cap_may_be_0(shown, word)) & mask);
}

/* The last cells: the exits, and the CPUs that differ. Returns how many differ. */
static int put_tail(struct out *out, const struct caps *caps, const struct caps_cpu *shown,
		    const struct row *row, uint64_t mask)
{
	const __u8 *reason = row->bit ? row->bit->brings : NULL;
	char text[128] = "";
	int different = 0;

	if (row->bit && !reason)
		reason = row->bit->enables;
	for (; reason && *reason != VMX_CAP_END; reason++)
		append(text, sizeof(text), "%s%u", *text ? " " : "", *reason);
	out_text(out, text);
	*text = '\0';
	for (int i = 0; i < caps->cpus; i++) {
		if (!differs(&caps->cpu[i].msrs, &shown->msrs, row->word, mask))
			continue;
		append(text, sizeof(text), "%s%u", different ? " " : "CPU ", caps->cpu[i].cpu);
		different++;
	}
	out_text(out, text);
	return different;
}

static void put_head(struct out *out, const struct row *row, const char *name)
{
	out_text(out, row->msr);
	out_text(out, row->word->name);
	if (row->bit)
		out_int(out, row->bit->bit);
	else
		out_none(out);
	out_text(out, name);
}

/* A row about a whole word: that it is not there, or its bits without a name. */
static int put_word(struct out *out, const struct caps *caps, const struct caps_cpu *shown,
		    const struct row *row, const char *name, const char *value, uint64_t mask)
{
	put_head(out, row, name);
	out_text(out, "");
	out_text(out, "");
	out_text(out, value);
	return put_tail(out, caps, shown, row, mask);
}

static int put_bit(struct out *out, const struct caps *caps, const struct caps_cpu *shown,
		   const struct row *row)
{
	uint64_t mask = vmx_cap_mask(row->bit);
	uint64_t ones = vmx_cap_may_be_1(&shown->msrs, row->word) & mask;
	uint64_t zeros = vmx_cap_may_be_0(&shown->msrs, row->word) & mask;
	bool known = vmx_cap_word_known(&shown->msrs, row->word);
	char value[24] = "";

	put_head(out, row, row->bit->name);
	if (row->word->kind == VMX_CAP_FACTS) {
		if (!known)
			snprintf(value, sizeof(value), "unknown");
		else if (row->bit->width > 1)
			snprintf(value, sizeof(value), "%" PRIu64, ones >> row->bit->bit);
		else
			snprintf(value, sizeof(value), "%s", ones ? "yes" : "no");
		out_text(out, "");
		out_text(out, "");
	} else {
		out_text(out, !known ? "unknown" : ones ? "yes" : "no");
		out_text(out, !known ? "unknown" : zeros ? "yes" : "no");
	}
	out_text(out, value);
	return put_tail(out, caps, shown, row, mask);
}

/* All rows of a word. Returns how many answers differ on other CPUs. */
static int put_controls_of(struct out *out, const struct caps *caps, const struct caps_cpu *shown,
			   const struct vmx_cap_word *word)
{
	unsigned int msr = vmx_cap_word_msr(&shown->msrs, word);
	struct row row = {.word = word};
	uint64_t unknown = 0;
	char value[24];
	int different = 0;

	hex(row.msr, msr);
	if (!vmx_cap_exists(&shown->msrs, msr))
		return put_word(out, caps, shown, &row, "none: the CPU has no such MSR", "", ~0ULL);
	for (unsigned int i = 0; i < word->n_bits; i++) {
		row.bit = &word->bits[i];
		different += put_bit(out, caps, shown, &row);
	}
	row.bit = NULL;
	for (int i = 0; i < caps->cpus; i++)
		unknown |= vmx_cap_unknown(&caps->cpu[i].msrs, word);
	hex(value, vmx_cap_unknown(&shown->msrs, word));
	if (unknown)
		different += put_word(out, caps, shown, &row, "bits without a name here", value,
				      unknown);
	return different;
}

static void put_controls(struct out *out, const struct caps *caps, const struct caps_cpu *shown)
{
	int different = 0;

	out_table(out, "controls", control_columns, COLUMNS(control_columns));
	for (unsigned int i = 0; i < VMX_CAP_WORDS; i++)
		different += put_controls_of(out, caps, shown, &vmx_cap_words[i]);
	out_table_end(out);
	out_note(out, "CPU %u of %d; names of " VMX_CAPS_SDM "; REASONS are basic exit reasons",
		 shown->cpu, caps->cpus);
	if (different)
		out_note(out, "%d answers differ on other CPUs (--cpu N shows one of them)",
			 different);
}

static int put_reasons(struct app *app, struct out *out, const struct caps *caps)
{
	struct caps_reason *reasons;
	int count, wrong = 0;
	int rc = caps_reasons(app, &app->run, caps, &reasons, &count);

	out_table(out, "reasons", reason_columns, COLUMNS(reason_columns));
	for (int i = 0; !rc && i < count; i++) {
		out_int(out, reasons[i].number);
		out_text(out, reasons[i].name);
		out_text(out, verdicts[reasons[i].verdict]);
		out_text(out, reasons[i].because);
		out_int(out, reasons[i].exits);
		wrong += reasons[i].verdict == CAPS_NO && reasons[i].exits;
	}
	out_table_end(out);
	free(reasons);
	if (wrong)
		out_note(out, "%d reasons that can't occur did: please report this run", wrong);
	return rc;
}

static void put_msrs(struct out *out, const struct caps *caps)
{
	char text[24];

	out_table(out, "msrs", msr_columns, COLUMNS(msr_columns));
	for (int i = 0; i < caps->cpus; i++) {
		const struct caps_cpu *cpu = &caps->cpu[i];

		for (unsigned int msr = VMX_CAPS_FIRST_MSR;
		     msr < VMX_CAPS_FIRST_MSR + VMX_CAPS_MSRS; msr++) {
			if (!vmx_cap_exists(&cpu->msrs, msr))
				continue;
			out_int(out, cpu->cpu);
			hex(text, msr);
			out_text(out, text);
			out_text(out, vmx_cap_msr_names[msr - VMX_CAPS_FIRST_MSR]);
			snprintf(text, sizeof(text), "0x%016" PRIx64,
				 (uint64_t)vmx_cap_value(&cpu->msrs, msr));
			out_text(out, vmx_cap_was_read(&cpu->msrs, msr) ? text : "unreadable");
		}
	}
	out_table_end(out);
}

/* The CPU that --cpu names, or the first. */
static const struct caps_cpu *choose_cpu(struct app *app, const struct options *opt,
					 const struct caps *caps)
{
	const char *text = opt->extra[EXTRA_CPU];
	int64_t number = -1;

	if (!text)
		return &caps->cpu[0];
	units_parse_whole(text, 0, UINT32_MAX, &number);
	for (int i = 0; i < caps->cpus; i++)
		if (caps->cpu[i].cpu == number)
			return &caps->cpu[i];
	app_fail(app, "--cpu %s: the run has no such CPU (it has %d, from %u to %u)", text,
		 caps->cpus, caps->cpu[0].cpu, caps->cpu[caps->cpus - 1].cpu);
	return NULL;
}

static int vmx_caps(struct app *app, const struct options *opt)
{
	const struct caps_cpu *shown = NULL;
	struct caps caps = {0};
	struct out out;
	int rc;

	if (opt->extra[EXTRA_REASONS] && opt->extra[EXTRA_MSRS])
		return app_fail(app, "vmx-caps: --reasons and --msrs: use one of them");
	if (opt->extra[EXTRA_CPU] && (opt->extra[EXTRA_REASONS] || opt->extra[EXTRA_MSRS]))
		return app_fail(
			app,
			"vmx-caps: --cpu: only without --reasons and --msrs (they show all CPUs)");

	rc = run_open(app, app->filter.run, &app->run);
	if (!rc)
		rc = caps_load(app, &app->run, &caps);
	if (!rc && !(shown = choose_cpu(app, opt, &caps)))
		rc = -1;
	if (rc) {
		caps_free(&caps);
		return rc;
	}
	out_begin(&out, &opt->style, 0);
	if (opt->extra[EXTRA_REASONS])
		rc = put_reasons(app, &out, &caps);
	else if (opt->extra[EXTRA_MSRS])
		put_msrs(&out, &caps);
	else
		put_controls(&out, &caps, shown);
	caps_free(&caps);
	return out_end(&out, app, rc < 0);
}

const struct cmd cmd_vmx_caps = {
	.name = "vmx-caps",
	.summary = "what the recorded CPUs can do in VMX, and which exits can occur",
	.usage = "[--reasons | --msrs] [--cpu N] [OPTION...]",
	.help = help_vmx_caps,
	.options = OPT_RUN | OPT_NO_TIME,
	.extra = extra,
	.run = vmx_caps,
};
