// SPDX-License-Identifier: GPL-2.0-only
/* trigger.c - parses and applies the expressions of --trigger */
#include "collector/trigger.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "collector/source/trace/text/reason_name.h"
#include "kvm/ring/exit_reason.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define WORD_BYTES   64

static const char *const field_names[] = {
	[TRIGGER_NS] = "ns",
	[TRIGGER_BUSY] = "busy",
	[TRIGGER_HANDLER] = "handler",
	[TRIGGER_HALTED] = "halted",
	[TRIGGER_USERSPACE] = "userspace",
	[TRIGGER_PREEMPTED] = "preempted",
	[TRIGGER_REASON] = "reason",
	[TRIGGER_KEY] = "key",
	[TRIGGER_VCPU] = "vcpu",
};

/* The longer ones first: ">=" begins with ">". */
static const char *const operator_names[] = {
	[TRIGGER_AT_LEAST] = ">=", [TRIGGER_AT_MOST] = "<=", [TRIGGER_NOT_EQUAL] = "!=",
	[TRIGGER_ABOVE] = ">",	   [TRIGGER_BELOW] = "<",    [TRIGGER_EQUAL] = "=",
};

static bool is_time(enum trigger_field field)
{
	return field <= TRIGGER_PREEMPTED;
}

/* Copies @length bytes without blanks at both ends. False: nothing is left, or too much. */
static bool copy_word(char word[WORD_BYTES], const char *text, size_t length)
{
	while (length && isspace((unsigned char)*text)) {
		text++;
		length--;
	}
	while (length && isspace((unsigned char)text[length - 1]))
		length--;

	if (!length || length >= WORD_BYTES)
		return false;
	memcpy(word, text, length);
	word[length] = '\0';
	return true;
}

/* The index of @word in a list; -1: it is not there. */
static int find_name(const char *const *names, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], word))
			return (int)i;
	return -1;
}

static int parse_reason(struct trigger_condition *condition, const char *word)
{
	uint32_t reason;

	if (condition->relation != TRIGGER_EQUAL && condition->relation != TRIGGER_NOT_EQUAL)
		return -EINVAL;
	if (!reason_from_name(word, &reason, &condition->isa))
		return -EINVAL;
	condition->value = reason;
	return 0;
}

static int parse_value(struct trigger_condition *condition, const char *word)
{
	int64_t ns;
	char *end;

	if (condition->field == TRIGGER_REASON)
		return parse_reason(condition, word);

	if (!isdigit((unsigned char)*word))
		return -EINVAL;
	if (is_time(condition->field)) {
		/* Without a unit it could be meant as ns or as s. */
		if (!isalpha((unsigned char)word[strlen(word) - 1]) || units_parse_ns(word, &ns))
			return -EINVAL;
		condition->value = (uint64_t)ns;
		return 0;
	}

	errno = 0;
	condition->value = strtoull(word, &end, 0);
	return errno || *end ? -EINVAL : 0;
}

static int parse_condition(struct trigger_condition *condition, const char *text, size_t length)
{
	size_t at = 0;
	char word[WORD_BYTES];
	int index = -1;

	*condition = (struct trigger_condition){.isa = 0};
	while (at < length && !strchr("<>=!", text[at]))
		at++;

	if (copy_word(word, text, at))
		index = find_name(field_names, COUNT(field_names), word);
	if (index < 0)
		return -EINVAL;
	condition->field = (enum trigger_field)index;

	for (index = 0; index < (int)COUNT(operator_names); index++)
		if (!strncmp(text + at, operator_names[index], strlen(operator_names[index])))
			break;
	if (at == length || index == (int)COUNT(operator_names))
		return -EINVAL;
	condition->relation = (enum trigger_relation)index;
	at += strlen(operator_names[index]);

	if (at > length || !copy_word(word, text + at, length - at))
		return -EINVAL;
	return parse_value(condition, word);
}

int trigger_parse(struct trigger *trigger, const char *text, struct fault *fault)
{
	const char *at = text;

	*trigger = (struct trigger){.text = text};
	for (;;) {
		size_t length = strcspn(at, ",");

		if (trigger->count == TRIGGER_CONDITIONS)
			return fault_set(fault, -EINVAL, "--trigger %s: more than %d conditions",
					 text, TRIGGER_CONDITIONS);
		if (parse_condition(&trigger->condition[trigger->count++], at, length))
			return fault_set(
				fault, -EINVAL,
				"--trigger %s: \"%.*s\" is not a condition (examples: 'busy > 1ms', 'reason = EPT_VIOLATION, ns >= 200us', 'key = 0x70')",
				text, (int)length, at);
		if (!at[length])
			return 0;
		at += length + 1;
	}
}

int trigger_bind(struct trigger *trigger, uint32_t isa, uint32_t tsc_khz, bool has_split,
		 struct fault *fault)
{
	for (int i = 0; i < trigger->count; i++) {
		struct trigger_condition *condition = &trigger->condition[i];

		if (condition->isa && condition->isa != isa)
			return fault_set(fault, -EINVAL,
					 "--trigger %s: that reason is of %s, and this CPU has %s",
					 trigger->text, isa == KVM_EXIT_ISA_SVM ? "VMX" : "SVM",
					 isa == KVM_EXIT_ISA_SVM ? "SVM" : "VMX");

		if (!is_time(condition->field))
			continue;
		if (condition->field != TRIGGER_NS && !has_split)
			return fault_set(
				fault, -EINVAL,
				"--trigger %s: this source does not record the parts of the time (use ns)",
				trigger->text);
		condition->value =
			(uint64_t)((double)condition->value * (double)tsc_khz / 1e6 + 0.5);
	}
	return 0;
}

static uint64_t field_of(const struct kvm_exit_record *record, enum trigger_field field)
{
	switch (field) {
	case TRIGGER_NS:
		return record->cycles;
	case TRIGGER_BUSY:
		return record->cycles - record->halted_cycles;
	case TRIGGER_HANDLER:
		return record->handler_cycles;
	case TRIGGER_HALTED:
		return record->halted_cycles;
	case TRIGGER_USERSPACE:
		return record->userspace_cycles;
	case TRIGGER_PREEMPTED:
		return record->preempted_cycles;
	case TRIGGER_REASON:
		return kvm_exit_basic(record->isa, record->reason);
	case TRIGGER_KEY:
		return record->key;
	case TRIGGER_VCPU:
		return record->vcpu_id;
	}
	return 0;
}

static bool meets_condition(const struct trigger_condition *condition,
			    const struct kvm_exit_record *record)
{
	uint64_t value = field_of(record, condition->field);

	if (condition->field == TRIGGER_KEY && !(record->flags & KVM_EXIT_REC_KEY))
		return false;

	switch (condition->relation) {
	case TRIGGER_AT_LEAST:
		return value >= condition->value;
	case TRIGGER_AT_MOST:
		return value <= condition->value;
	case TRIGGER_NOT_EQUAL:
		return value != condition->value;
	case TRIGGER_ABOVE:
		return value > condition->value;
	case TRIGGER_BELOW:
		return value < condition->value;
	case TRIGGER_EQUAL:
		return value == condition->value;
	}
	return false;
}

bool trigger_meets(const struct trigger *trigger, const struct kvm_exit_record *record)
{
	for (int i = 0; i < trigger->count; i++)
		if (!meets_condition(&trigger->condition[i], record))
			return false;
	return true;
}
