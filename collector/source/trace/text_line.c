// SPDX-License-Identifier: GPL-2.0-only
/* text_line.c - reads what ftrace, trace-cmd report and perf script print */
#include "collector/source/trace/text_line.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/reason_name.h"
#include "kvm/uapi/kvm_exit_ring.h"

#define NS_DIGITS    9
#define FAILED_ENTRY 0x80000000U /* VMX exit reason, bit 31 */

/* A number that ends at @end, or -1. *@begin: where it begins. */
static int64_t number_before(const char *text, const char *end, const char **begin)
{
	const char *at = end;

	while (at > text && isdigit((unsigned char)at[-1]))
		at--;
	*begin = at;
	return at < end && end - at < 18 ? strtoll(at, NULL, 10) : -1;
}

/* "196.701717" -> ns; "177814117677" -> that number. False: no such thing, or past 2^63 of them. */
static bool parse_time(const char *at, const char *end, uint64_t *ts, bool *is_count)
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
	for (; digits < NS_DIGITS; digits++)
		fraction *= 10;
	*ts = *ts * 1000000000 + fraction;
	return true;
}

/* Where the time ends: its ':' is followed by a blank. NULL: the line has no time. */
static const char *find_time(const char *text, struct text_line *line)
{
	for (const char *colon = strstr(text, ": "); colon; colon = strstr(colon + 1, ": ")) {
		const char *begin = colon;

		while (begin > text && !isspace((unsigned char)begin[-1]))
			begin--;
		if (parse_time(begin, colon, &line->event.ts, &line->is_count))
			return colon;
	}
	return NULL;
}

static const char *skip_blanks_back(const char *text, const char *end)
{
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	return end;
}

/* "qemu-1000", "qemu 1000", "qemu 990/1000", "qemu-1000 (990)": name, thread, process. */
static bool parse_task(const char *text, const char *end, struct text_line *line)
{
	const char *begin;
	int64_t number;

	while (isspace((unsigned char)*text))
		text++;
	end = skip_blanks_back(text, end);
	if (end > text && end[-1] == ')') {
		number = number_before(text, end - 1, &begin);
		line->event.tgid = number > 0 ? (uint32_t)number : 0;
		while (end > text && *end != '(')
			end--;
		end = skip_blanks_back(text, end);
	}

	number = number_before(text, end, &begin);
	if (number < 0 || begin == text)
		return false;
	line->event.tid = (uint32_t)number;
	if (begin[-1] == '/') {
		number = number_before(text, begin - 1, &begin);
		line->event.tgid = number > 0 ? (uint32_t)number : 0;
	}

	end = begin > text && begin[-1] == '-' ? begin - 1 : skip_blanks_back(text, begin);
	snprintf(line->comm, sizeof(line->comm), "%.*s", (int)(end - text), text);
	return true;
}

/* What stands before the time: the task, "[CPU]", flags. */
static bool parse_head(const char *text, const char *time_end, struct text_line *line)
{
	const char *bracket = NULL, *end;

	for (const char *at = text; at < time_end; at++) {
		if (*at == '[' && isdigit((unsigned char)at[1]))
			bracket = at;
	}
	if (bracket) {
		line->event.cpu = (uint32_t)strtoul(bracket + 1, NULL, 10);
		return parse_task(text, bracket, line);
	}

	/* perf script without -F cpu: the task stands before the time. */
	end = time_end;
	while (end > text && !isspace((unsigned char)end[-1]))
		end--;
	return parse_task(text, end, line);
}

/* The number after the word @key, in @base (0: as it is written). False: there is none. */
static bool number_of(const char *text, const char *key, int base, uint64_t *number)
{
	size_t length = strlen(key);
	char *end;

	for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
		if ((at > text && !isspace((unsigned char)at[-1])) ||
		    !isspace((unsigned char)at[length]))
			continue;
		*number = strtoull(at + length, &end, base);
		return end != at + length;
	}
	return false;
}

static uint64_t number_or_0(const char *text, const char *key, int base)
{
	uint64_t number;

	return number_of(text, key, base, &number) ? number : 0;
}

static void parse_vcpu(const char *text, struct kvm_event *event)
{
	uint64_t vcpu;

	event->vcpu_id = number_of(text, "vcpu", 10, &vcpu) ? (uint32_t)vcpu : KVM_EVENT_NO_VCPU;
}

/* "reason EXCEPTION_NMI FAILED_VMENTRY rip": the name, and bit 31. */
static bool parse_reason(const char *text, struct kvm_event *event)
{
	char name[40];
	int end = 0;

	text = strstr(text, "reason ");
	if (!text || sscanf(text, "reason %39s%n", name, &end) != 1)
		return false;
	if (!strcmp(name, "UNKNOWN") &&
	    sscanf(text, "reason UNKNOWN (%39[0-9])%n", name, &end) != 1)
		return false;
	if (!reason_from_name(name, &event->reason, &event->isa))
		return false;
	if (!strncmp(text + end, " FAILED", 7) && event->isa == KVM_EXIT_ISA_VMX)
		event->reason |= FAILED_ENTRY;
	return true;
}

static bool parse_exit(const char *text, struct kvm_event *event)
{
	const char *info = strstr(text, " info ");
	char *end;

	parse_vcpu(text, event);
	if (!parse_reason(text, event))
		return false;

	event->guest_rip = number_or_0(text, "rip", 16);
	if (info) { /* two numbers without 0x: trace-cmd report, kernels before 5.10 */
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

/* "kvm_exit: ..." or "kvm:kvm_exit: ..." */
static bool parse_event(const char *text, struct kvm_event *event)
{
	static const char *const names[KVM_EVENT_KINDS] = {
		"kvm_exit:", "kvm_entry:", "kvm_msr:",	      "kvm_pio:",
		"kvm_mmio:", "kvm_cpuid:", "kvm_page_fault:", "kvm_hypercall:",
	};
	int kind = 0;

	while (isspace((unsigned char)*text))
		text++;
	if (!strncmp(text, "kvm:", 4))
		text += 4;
	while (kind < KVM_EVENT_KINDS && strncmp(text, names[kind], strlen(names[kind])))
		kind++;
	if (kind == KVM_EVENT_KINDS)
		return false;

	event->kind = (enum kvm_event_kind)kind;
	text += strlen(names[kind]);
	if (kind == KVM_EVENT_EXIT)
		return parse_exit(text, event);
	if (kind != KVM_EVENT_ENTRY)
		return parse_key(text, event);
	parse_vcpu(text, event);
	return true;
}

/* Lines that say what was lost. */
static bool parse_loss(const char *text, struct text_line *line)
{
	unsigned long long present, written, lost;
	unsigned int cpu;
	int end = 0;

	if (sscanf(text, "# entries-in-buffer/entries-written: %llu/%llu", &present, &written) ==
	    2) {
		line->kind = TEXT_OVERWRITTEN;
		line->lost = written > present ? written - present : 0;
		return true;
	}

	if (sscanf(text, "CPU:%u [%n", &cpu, &end) != 1 || !end)
		return false;
	line->event.cpu = cpu;
	if (sscanf(text + end, "LOST %llu EVENTS", &lost) == 1 ||
	    sscanf(text + end, "%llu EVENTS DROPPED", &lost) == 1)
		line->lost = lost;
	else if (strncmp(text + end, "EVENTS DROPPED", 14))
		return false;
	line->kind = TEXT_LOST;
	return true;
}

/* A line that is not an event for us: whether it should have been one. */
static enum text_line_kind unknown_kind(const char *text, enum text_line_kind otherwise)
{
	return strstr(text, "kvm_exit: ") || strstr(text, "kvm_entry: ") ? TEXT_UNREAD : otherwise;
}

void text_line_parse(const char *text, struct text_line *line)
{
	const char *time_end, *lost;

	memset(line, 0, sizeof(*line));
	if (parse_loss(text, line) || *text == '#')
		return;
	time_end = find_time(text, line);
	if (!time_end || !parse_head(text, time_end, line)) {
		line->kind = unknown_kind(text, TEXT_NOTHING);
		return;
	}

	lost = strstr(time_end, "PERF_RECORD_LOST lost ");
	if (lost) {
		line->kind = TEXT_SAMPLES_LOST;
		line->lost = strtoull(lost + strlen("PERF_RECORD_LOST lost "), NULL, 10);
		return;
	}
	if (parse_event(time_end + 2, &line->event))
		line->kind = TEXT_EVENT;
	else
		line->kind = unknown_kind(time_end, TEXT_OTHER);
}
