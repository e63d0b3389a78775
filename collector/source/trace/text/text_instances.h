/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_instances.h - what trace-cmd report prints before an event: the instance or the file it is
 *of
 *
 * HOW IT WORKS
 * Several instances of ftrace may have the same event, at times a little apart, or each may have
 * its own (filters). An event is another one's copy if it is of another instance, equal in all but
 * the time, only some us away, and no other event of that kind and CPU is between them:
 *
 *	vm1: exit A   vm2: exit A	one event	vm1: exit A   vm1: exit A	two
 *	vm1: exit A   vm2: exit B	two		vm1: exit A  (50 us)  vm2: exit A	two
 *
 * An instance of which each event is a copy of the same other one's is left out as a whole: what
 * it lost is not missing.
 *
 * Names of files ("host1.dat: ", of trace-cmd report -i A -i B) are those of hosts: what is called
 * CPU 0 or thread 1000 in two of them are two, unless the files were written one after the other
 * or have the same events. What log programs print before a line ("Nov 28 15:23:01 host sh[812]: ")
 * is not a name.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_INSTANCES_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_INSTANCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/source/trace/text/text_line.h"

#define TEXT_INSTANCES 64

/* Bits of a thread's number that the kernel gives; above them stands the host. */
#define TEXT_THREAD_BITS 22

/*
 * @events: of KVM; @first_ts, @last_ts: of them
 * @copies: how many each other instance has too
 * @host: 0: the first one
 * @is_skipped: it is left out, all of it
 */
struct text_instance {
	char name[TEXT_INSTANCE_BYTES];
	uint64_t events;
	uint64_t first_ts;
	uint64_t last_ts;
	uint64_t copies[TEXT_INSTANCES];
	uint32_t host;
	bool is_skipped;
};

/* All 0: of no text. @hosts: how many; 0: it names no files; @are_none: names are not those of
 * instances
 */
struct text_instances {
	struct text_instance instance[TEXT_INSTANCES];
	size_t count;
	size_t current;
	bool after_loss;
	bool are_none;
	uint32_t hosts;
	struct text_group *groups; /* @group_count, by CPU and kind */
	uint32_t group_count;
};

/* Make the instance of a line the current one. @is_loss: the line says that events were lost */
void text_instances_follow(struct text_instances *instances, const char *name, bool is_loss);

/* An event of the current instance. *@is_copy: it is another one's. -ENOMEM. */
int text_instances_see(struct text_instances *instances, const struct text_line *line,
		       bool *is_copy);

/* After the whole text was seen: which ones are left out, and of which host they are. */
void text_instances_decide(struct text_instances *instances);

/* Whether some that are not left out have events of others. */
bool text_instances_share(const struct text_instances *instances);

/* Gives thread, process and CPU of an event numbers that no other host's have. */
void text_instances_set_host(const struct text_instances *instances, struct kvm_event *event);

/* Begin the text again; what was decided stays. */
void text_instances_restart(struct text_instances *instances);

#endif
