/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trigger.h - expressions of --trigger: which exits are events
 *
 *	busy > 1ms
 *	reason = EPT_VIOLATION, ns >= 200us
 *
 * A trigger is up to TRIGGER_CONDITIONS conditions with commas between them; an exit that meets
 * all of them is an event. A condition is FIELD OPERATOR VALUE, with or without blanks:
 *
 *	ns, busy, handler, halted,	a time with its unit (ns, us, ms, s); busy is ns without
 *	userspace, preempted		halted, in which an idle guest waits
 *	reason				name (EPT_VIOLATION, npf) or number; = and != only
 *	key				number: port, MSR, address, ... (KVM_EXIT_KEY of
 *					kvm/uapi/kvm_exit_ring.h); an exit without a key meets none
 *	vcpu				number of the vCPU in its VM
 *
 * Operators: > >= < <= = !=. Numbers are decimal or 0x...
 */
#ifndef EXITSCOPE_COLLECTOR_TRIGGER_H
#define EXITSCOPE_COLLECTOR_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/host/fault.h"
#include "kvm/uapi/kvm_exit_ring.h"

#define TRIGGER_CONDITIONS 8
#define TRIGGERS	   16

enum trigger_field {
	TRIGGER_NS,
	TRIGGER_BUSY,
	TRIGGER_HANDLER,
	TRIGGER_HALTED,
	TRIGGER_USERSPACE,
	TRIGGER_PREEMPTED,
	TRIGGER_REASON,
	TRIGGER_KEY,
	TRIGGER_VCPU,
};

enum trigger_relation {
	TRIGGER_AT_LEAST,
	TRIGGER_AT_MOST,
	TRIGGER_NOT_EQUAL,
	TRIGGER_ABOVE,
	TRIGGER_BELOW,
	TRIGGER_EQUAL,
};

/* @value: in ns for times, in cycles once trigger_bind() was called; @isa: whose reason, 0: any */
struct trigger_condition {
	enum trigger_field field;
	enum trigger_relation relation;
	uint64_t value;
	uint32_t isa;
};

/* @text: as it was given; not copied */
struct trigger {
	const char *text;
	struct trigger_condition condition[TRIGGER_CONDITIONS];
	int count;
};

/**
 * trigger_parse - read an expression
 * @trigger: filled in; keeps @text
 * @fault: why not, in words
 *
 * Return: 0 or -EINVAL.
 */
int trigger_parse(struct trigger *trigger, const char *text, struct fault *fault);

/**
 * trigger_bind - fit a trigger to a recording
 * @isa: KVM_EXIT_ISA_*
 * @tsc_khz: not 0
 * @has_split: the parts of the time are known
 *
 * Return: 0, or -EINVAL with words in @fault: the recording can have no such exits.
 */
int trigger_bind(struct trigger *trigger, uint32_t isa, uint32_t tsc_khz, bool has_split,
		 struct fault *fault);

/* Whether an exit is an event; after trigger_bind(). */
bool trigger_meets(const struct trigger *trigger, const struct kvm_exit_record *record);

#endif
