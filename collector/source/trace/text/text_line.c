// SPDX-License-Identifier: GPL-2.0-only
/* text_line.c - reads what ftrace, trace-cmd report and perf script print */
#include "collector/source/trace/text/text_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "collector/source/trace/text/reason_name.h"
#include "kvm/uapi/kvm_exit_ring.h"

#define NS_DIGITS    9
#define US_DIGITS    6
#define FAILED_ENTRY 0x80000000U /* VMX exit reason, bit 31 */
#define BASIC_REASON 0xffffU

/* "196.701717" -> ns; "177814117677" -> that number. False: no such thing, or past 2^63 of them. */
static bool parse_time(const char *at, const char *end, uint64_t *ts, bool *is_count, bool *has_ns)
{
	char *rest;
	uint64_t fraction = 0;
	int digits;

	if (!isdigit((unsigned char)*at))
		return false;
	*ts = strtoull(at, &rest, 10);
	*is_count = rest == end;
	if (*is_count)
		return *ts <= INT64_MAX;
	/* A comma: printed in another language. */
	if ((*rest != '.' && *rest != ',') || *ts >= INT64_MAX / 1000000000)
		return false;

	for (digits = 0, at = rest + 1;
	     at < end && isdigit((unsigned char)*at) && digits < NS_DIGITS; at++, digits++)
		fraction = 10 * fraction + (uint64_t)(*at - '0');
	if (at != end || !digits)
		return false;
	*has_ns = digits > US_DIGITS;
	for (; digits < NS_DIGITS; digits++)
		fraction *= 10;
	*ts = *ts * 1000000000 + fraction;
	return true;
}

/* The time that ends at @colon. *@begin: where it begins. */
static bool time_before(const char *text, const char *colon, struct text_line *line,
			const char **begin)
{
	const char *end = colon, *at;
	bool is_us = false;

	/* "196us : " or "196us+: " of ftrace's latency-format: the mark says how long it is. */
	if (end - text > 3 && !strncmp(end - 3, "us", 2) && strchr(" $@*#!+", end[-1])) {
		end -= 3;
		is_us = true;
	}

	for (at = end; at > text && (isdigit((unsigned char)at[-1]) || strchr(".,", at[-1]));)
		at--;
	*begin = at;
	/* "[003]177814117677: ": twelve digits leave no room for a blank. */
	if (at > text && !isspace((unsigned char)at[-1]) && at[-1] != ']')
		return false;
	if (!parse_time(at, end, &line->event.ts, &line->is_count, &line->has_ns))
		return false;
	if (is_us && (!line->is_count || line->event.ts > INT64_MAX / 1000))
		return false;
	line->event.ts *= is_us ? 1000 : 1;
	line->is_count &= !is_us;
	return true;
}

/* What stands between a time and the event's name: "(+460)" of --ts-diff, a period of perf. */
static const char *skip_columns(const char *text, uint64_t *period)
{
	const char *at = text + strspn(text, " ");
	size_t digits = strspn(at, "0123456789");

	if (!strncmp(at, "(+", 2) && at[2 + strspn(at + 2, "0123456789")] == ')')
		at += 3 + strspn(at + 2, "0123456789");
	if (digits && at[digits] == ' ') {
		*period = strtoull(at, NULL, 10);
		at += digits;
	}
	return at + strspn(at, " ");
}

/* "kvm_exit: ..." or "kvm:kvm_exit: ...": what follows the name; NULL: another event. */
static const char *find_event(const char *text, struct text_line *line)
{
	struct kvm_event *event = &line->event;

	text = skip_columns(text, &event->period);
	line->words = text;
	line->is_perf = !strncmp(text, "kvm:", 4);
	if (line->is_perf)
		text += 4;
	for (int i = 0; i < KVM_EVENT_KINDS; i++) {
		const char *name = kvm_event_name((enum kvm_event_kind)i);
		size_t length = strlen(name);

		event->kind = (enum kvm_event_kind)i;
		if (!strncmp(text, name, length) && text[length] == ':')
			return text + length + 1;
	}
	return NULL;
}

/* Whether a thread stands before @end; else that is a part of its name. */
static bool has_head(const char *text, const char *end)
{
	struct text_head head;

	return text_head_parse(text, end, &head);
}

/*
 * Where the time ends: its ':' is followed by a blank. A name may have the form of a time; the last
 * one that an event of KVM follows is it, else the first. NULL: the line has no time.
 */
static const char *find_time(const char *text, struct text_line *line, const char **begin)
{
	const char *found = NULL, *event_at = NULL;

	for (const char *colon = strstr(text, ": "); colon; colon = strstr(colon + 1, ": ")) {
		struct text_line other = {.kind = TEXT_NOTHING};
		bool is_event;
		const char *at;

		if (!time_before(text, colon, &other, &at))
			continue;
		is_event = find_event(colon + 2, &other);
		if (found && !is_event)
			continue;
		line->is_joined |= is_event && event_at && has_head(text, event_at);
		event_at = is_event ? at : event_at;
		line->event.ts = other.event.ts;
		line->is_count = other.is_count;
		line->has_ns = other.has_ns;
		*begin = at;
		found = colon;
	}
	return found;
}

/* The number after the word @key, in @base (0: as it is written). False: there is none, or another
 * word. */
static bool number_of(const char *text, const char *key, int base, uint64_t *number)
{
	size_t length = strlen(key);
	uint64_t value;
	char *end;

	for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
		if ((at > text && !isspace((unsigned char)at[-1])) ||
		    !isspace((unsigned char)at[length]))
			continue;
		errno = 0;
		value = strtoull(at + length, &end, base);
		if (end == at + length || errno || isalnum((unsigned char)*end))
			return false;
		*number = value;
		return true;
	}
	return false;
}

static uint64_t number_or_0(const char *text, const char *key, int base)
{
	uint64_t number;

	return number_of(text, key, base, &number) ? number : 0;
}

/* False: what it has is not a number, or none that a vCPU has. */
static bool parse_vcpu(const char *text, struct kvm_event *event)
{
	uint64_t vcpu = KVM_EVENT_NO_VCPU;
	bool has_vcpu = number_of(text, "vcpu", 10, &vcpu);

	event->vcpu_id = has_vcpu ? (uint32_t)vcpu : KVM_EVENT_NO_VCPU;
	return has_vcpu ? vcpu < KVM_EVENT_NO_VCPU : !strstr(text, " vcpu ");
}

/* "FAILED_VMENTRY 0x8000000 rip": the bits of a VMX exit reason above the basic one. */
static uint32_t parse_reason_flags(const char *text)
{
	uint64_t flags = 0;
	char word[20];
	int end = 0;

	for (; sscanf(text, " %19s%n", word, &end) == 1; text += end) {
		if (!strcmp(word, "FAILED_VMENTRY"))
			flags |= FAILED_ENTRY;
		else if (!strncmp(word, "0x", 2))
			flags |= strtoull(word, NULL, 16);
		else
			break;
	}
	return (uint32_t)flags & ~BASIC_REASON;
}

/* "reason EXCEPTION_NMI FAILED_VMENTRY rip". A name may have two words ("PF excp"). */
static bool parse_reason(const char *text, struct kvm_event *event)
{
	char name[40], second[40] = "";
	int end = 0;

	text = strstr(text, "reason ");
	if (!text || sscanf(text, "reason %39s%n %15s", name, &end, second) < 1)
		return false;
	if (!strcmp(name, "UNKNOWN")) {
		end = 0;
		sscanf(text, "reason UNKNOWN (%39[0-9])%n", name, &end);
		if (!end)
			return false;
	}
	if (!strcmp(second, "excp"))
		strcat(name, " excp");
	if (!reason_from_name(name, &event->reason, &event->isa))
		return false;
	/* The line ends here: it may be a part of a longer name. */
	if (!text[end + (int)strspn(text + end, " ")])
		return false;
	if (event->isa == KVM_EXIT_ISA_VMX)
		event->reason |= parse_reason_flags(text + end);
	return true;
}

static bool parse_exit(const char *text, struct kvm_event *event)
{
	const char *info = strstr(text, " info ");
	char *end;

	if (!parse_vcpu(text, event) || !parse_reason(text, event))
		return false;

	event->no_rip = !number_of(text, "rip", 16, &event->guest_rip);
	if (info) { /* two numbers without 0x: line->has_bare_info */
		event->info1 = strtoull(info + strlen(" info "), &end, 16);
		event->info2 = strtoull(end, NULL, 16);
	} else {
		event->no_info = !number_of(text, "info1", 16, &event->info1);
		event->info2 = number_or_0(text, "info2", 16);
	}
	event->intr_info = (uint32_t)number_or_0(text, "intr_info", 16);
	event->error_code = (uint32_t)number_or_0(text, "error_code", 16);
	return true;
}

/* The events with a key, as their "print fmt" has it. */
static bool parse_key(const char *text, struct kvm_event *event)
{
	uint64_t *key = &event->key, *aux = &event->key_aux;

	/* They say nothing of the vCPU: it is the one whose thread they are of. */
	event->vcpu_id = KVM_EVENT_NO_VCPU;

	switch (event->kind) {
	case KVM_EVENT_MSR:
		*aux = !!strstr(text, "msr_write");
		event->has_key = number_of(text, *aux ? "msr_write" : "msr_read", 16, key);
		break;
	case KVM_EVENT_PIO:
		event->has_key = number_of(text, "at", 16, key);
		*aux = number_or_0(text, "size", 10) & KVM_EXIT_KEY_IO_SIZE;
		*aux |= strstr(text, "pio_read") ? KVM_EXIT_KEY_IO_IN : 0;
		break;
	case KVM_EVENT_MMIO:
		event->has_key = number_of(text, "gpa", 16, key);
		*aux = strstr(text, "write") ? KVM_EXIT_ACCESS_WRITE : KVM_EXIT_ACCESS_READ;
		break;
	case KVM_EVENT_CPUID:
		event->has_key = number_of(text, "func", 16, key);
		*aux = number_or_0(text, "idx", 16);
		break;
	case KVM_EVENT_PAGE_FAULT:
		event->has_key = number_of(text, "address", 16, key);
		break;
	case KVM_EVENT_HYPERCALL:
		event->has_key = number_of(text, "nr", 16, key);
		break;
	default:
		break;
	}

	return event->has_key;
}

/* The word after "NAME=" as far as the next blank, or NULL. */
static const char *find_value(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
		if (at > text && at[-1] == ' ' && at[length] == '=')
			return at + length + 1;
	}
	return NULL;
}

/*
 * A number of a raw event. Without 0x it is decimal or hexadecimal, by the version of trace-cmd:
 * it is taken if it has a letter, or is the same in both.
 */
static bool parse_value(const char *word, uint64_t *value)
{
	size_t digits = strspn(word, "0123456789abcdef");
	char *end;

	if (!strncmp(word, "0x", 2))
		*value = strtoull(word, &end, 16);
	else if (digits == 1 || strcspn(word, "abcdef") < digits)
		*value = strtoull(word, &end, 16);
	else
		return false;
	return end != word && (!*end || *end == ' ');
}

/* Fields that are printed in decimal digits, if not with 0x. */
static bool is_decimal(const char *name)
{
	static const char *const names[] = {"exit_reason", "vcpu_id", "isa", "write",
					    "size",	   "rw",      "type"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

/*
 * "exit_reason=96 guest_rip=0x1000 isa=2 ...": trace-cmd report -R, and what tools print that can't
 * read the kernel's "print fmt"; "exit_reason=0x60 (96) ...": ftrace with the option fields.
 */
static bool parse_raw(const char *text, struct kvm_event *event)
{
	struct kvm_event_values values = {.has = {false}};

	for (int i = 0; i < KVM_EVENT_FIELDS; i++) {
		const char *name = kvm_event_field(event->kind, i);
		const char *word = name ? find_value(text, name) : NULL;

		if (!word)
			continue;
		if (is_decimal(name) && isdigit((unsigned char)*word) && strncmp(word, "0x", 2)) {
			values.value[i] = strtoull(word, NULL, 10);
			values.has[i] = true;
		} else {
			values.has[i] = parse_value(word, &values.value[i]);
		}
		if (is_decimal(name) && values.value[i] >= UINT32_MAX)
			return false;
	}
	if (!kvm_event_fill(event, &values))
		return false;
	if (event->kind == KVM_EVENT_EXIT && !find_value(text, "intr_info"))
		kvm_event_use_old_info(event);
	return true;
}

static bool is_raw(const char *text, enum kvm_event_kind kind)
{
	return find_value(text, kvm_event_field(kind, 0)) != NULL;
}

/* What follows the name of an event. */
static bool parse_event(const char *text, struct kvm_event *event)
{
	if (is_raw(text, event->kind))
		return parse_raw(text, event);
	if (event->kind == KVM_EVENT_EXIT)
		return parse_exit(text, event);
	if (event->kind != KVM_EVENT_ENTRY)
		return parse_key(text, event);
	return parse_vcpu(text, event) && event->vcpu_id != KVM_EVENT_NO_VCPU;
}

/* "vm1: CPU:3 [...]": the instance. */
static void take_instance(const char *text, const char *end, struct text_line *line)
{
	while (end > text && (end[-1] == ' ' || end[-1] == ':'))
		end--;
	text += strspn(text, " ");
	if (end > text)
		snprintf(line->head.instance, sizeof(line->head.instance), "%.*s",
			 (int)(end - text), text);
}

/* "LOST 198 EVENTS]" and the like. A thread may be called "CPU:0 [1]". */
static bool parse_lost(const char *text, uint64_t *lost)
{
	static const char *const forms[] = {"LOST %llu EVENTS]%n", "%llu EVENTS DROPPED]%n"};
	unsigned long long count = 0;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		int end = 0;

		if (sscanf(text, forms[i], &count, &end) == 1 && end) {
			*lost = count;
			return true;
		}
	}
	*lost = 0;
	return !strncmp(text, "EVENTS DROPPED]", 15);
}

/* Lines that say what was lost. */
static bool parse_loss(const char *text, struct text_line *line)
{
	unsigned long long present, written;
	unsigned int cpu;
	const char *at;
	int end = 0;

	if (*text == '#' && sscanf(text, "# entries-in-buffer/entries-written: %llu/%llu", &present,
				   &written) == 2) {
		line->kind = TEXT_OVERWRITTEN;
		line->present = present;
		line->written = written;
		return true;
	}

	if (*text == '#' &&
	    sscanf(text, "##### CPU %u buffer started %n", &line->event.cpu, &end) == 1 && end) {
		line->kind = TEXT_STARTED;
		return true;
	}

	at = strstr(text, "CPU:");
	if (!at || sscanf(at, "CPU:%u [%n", &cpu, &end) != 1 || !end)
		return false;
	if (!parse_lost(at + end, &line->lost))
		return false;
	take_instance(text, at, line);
	line->event.cpu = cpu;
	line->kind = TEXT_LOST;
	return true;
}

/*
 * Whether a kvm_exit was cut off at a column. Kernels from 5.10 on begin it with the vCPU, and end
 * it with "error_code 0x%08x", the plugin of trace-cmd and perf with "info A B".
 */
static bool ends_early(const char *text)
{
	const char *code = strstr(text, " error_code 0x");
	const char *info = strstr(text, " info ");
	size_t digits = code ? strspn(code + strlen(" error_code 0x"), "0123456789abcdef") : 0;
	char last[2];

	if (info)
		return sscanf(info, " info %*[0-9a-f] %1[0-9a-f]", last) != 1;
	return !strncmp(text, " vcpu ", 6) && (!digits || (digits > 1 && digits < 8));
}

/* An event that was read, and what its form says of the kernel. */
static void set_event(const char *text, struct text_line *line)
{
	enum kvm_event_kind kind = line->event.kind;
	bool raw = is_raw(text, kind);

	line->kind = TEXT_EVENT;
	line->has_bare_info = kind == KVM_EVENT_EXIT && !raw && strstr(text, " info ");
	line->ends_early = kind == KVM_EVENT_EXIT && !raw && ends_early(text);
	line->has_rip = kind == KVM_EVENT_ENTRY && strstr(text, raw ? " rip=" : " rip ");
}

/* Whether an event of this kind is needed, though it can't be read. */
static void set_unread(const char *text, enum kvm_event_kind kind, struct text_line *line)
{
	if (kind > KVM_EVENT_ENTRY) {
		line->kind = TEXT_OTHER;
		return;
	}
	line->kind = TEXT_UNREAD;
	/* arm64, riscv, loongarch and mips; powerpc */
	line->is_foreign = strstr(text, "PC:") || strstr(text, "pc=");
}

/* A line without a time or a thread. */
static void take_other(const char *text, struct text_line *line)
{
	const char *at = strstr(text, "kvm_exit: ");

	if (at || strstr(text, "kvm_entry: "))
		set_unread(text, at ? KVM_EVENT_EXIT : KVM_EVENT_ENTRY, line);
}

/* Which event of which thread, if it is one. */
static void parse_line(const char *text, struct text_line *line)
{
	struct kvm_event *event = &line->event;
	const char *begin, *time_end, *at;

	time_end = find_time(text, line, &begin);
	if (!time_end || !text_head_parse(text, begin, &line->head)) {
		take_other(text, line);
		return;
	}
	event->tid = line->head.tid;
	event->tgid = line->head.tgid;
	event->cpu = line->head.cpu;
	line->has_cpu = true;

	at = strstr(time_end, "PERF_RECORD_LOST lost ");
	if (at) {
		line->kind = TEXT_SAMPLES_LOST;
		line->lost = strtoull(at + strlen("PERF_RECORD_LOST lost "), NULL, 10);
		return;
	}

	at = find_event(time_end + 2, line);
	if (!at)
		line->kind = TEXT_OTHER;
	else if (line->is_joined)
		set_unread(at, KVM_EVENT_EXIT, line);
	else if (parse_event(at, event))
		set_event(at, line);
	else
		set_unread(at, event->kind, line);
}

void text_line_parse(const char *text, struct text_line *line)
{
	memset(line, 0, sizeof(*line));
	if (parse_loss(text, line))
		return;
	parse_line(text, line);
	/* A comment; "#vm-100 [003] ..." is an event of a thread with that name. */
	if (*text == '#' && (text[1] == ' ' || line->kind != TEXT_EVENT))
		line->kind = TEXT_NOTHING;
}

uint64_t text_line_print(const struct text_line *line)
{
	const char *at = line->words;
	size_t left = strlen(at);
	uint64_t print = left, word = 0;

	for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		print = hash_mix(print, word);
	}
	word = 0;
	memcpy(&word, at, left);
	return hash_mix(print, word);
}
