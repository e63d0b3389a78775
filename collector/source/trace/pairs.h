/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pairs.h - the records of one vCPU: each kvm_exit with the kvm_entry after it
 *
 *	exit  msr  entry   exit  entry   exit [lost] entry   entry
 *	'--- record ---'   '- record -'  '-- unpaired --'    '- missing exit
 *
 * A kvm_exit whose kvm_entry was lost has no duration: it is counted, not recorded. So is one that
 * KVM re-entered the guest from without the tracepoint (fastpath, Linux 5.10), and one that
 * a later kvm_entry may not belong to: the vCPU has been on another CPU whose events were lost in
 * between, long enough that it may have gone there and come back.
 * The records of a vCPU never overlap, so their times can't add up to more than the
 * time from its first to its last event.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_PAIRS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"
#include "collector/events/lost_windows.h"
#include "kvm/uapi/kvm_exit_ring.h"

/* More exits than a vCPU can have, even in years; damaged files say more. */
#define PAIRS_EXITS_MAX (UINT64_C(1) << 48)

/*
 * Zeroed at first.
 * @untimed: record each kvm_exit at once, with 0 cycles: kvm_entry or time is missing
 *
 * @trip: ticks of the clock within which no vCPU goes to another CPU, is in the guest there and
 *comes back
 *
 * @records: made since they were taken; for the caller to take and to set @count to 0
 *
 * @open: the kvm_exit that waits for its kvm_entry, if @is_open
 * @begun: it had an event; @last_kind, @last_ts: the last one
 * @first_ts: of the first event
 *
 * @seq: seq of the next record
 * @exits: kvm_exit events; @recorded: of them those with a record
 * @unpaired: those without, as their kvm_entry was lost; @halves: of them those that
 *	were followed by another kvm_exit; @reentered: as @halves, but no event was lost there
 * @missing: kvm_entry events that followed another kvm_entry: an exit between them is
 *	not in the recording
 * @sampled_out: exits that a sampled recording did not write, by the periods
 * @late: events that came after younger ones and were left out
 * @cycles: of all records
 * @cpus: on which it was seen; a file's, on which it will be seen, too
 */
struct pairs {
	bool untimed;
	uint64_t trip;

	struct kvm_exit_record *records;
	size_t count;

	struct kvm_event open;
	bool is_open;
	bool begun;
	enum kvm_event_kind last_kind;
	uint64_t first_ts;
	uint64_t last_ts;

	uint64_t seq;
	uint64_t exits;
	uint64_t recorded;
	uint64_t unpaired;
	uint64_t halves;
	uint64_t reentered;
	uint64_t missing;
	uint64_t sampled_out;
	uint64_t late;
	uint64_t cycles;
	struct lost_windows_cpus cpus;
};

/*
 * pairs_take - take the vCPU's next event, in order of time
 * @lost: where events were lost
 *
 * Return 0, -ENOMEM, or -EOVERFLOW: more exits than PAIRS_EXITS_MAX.
 */
int pairs_take(struct pairs *pairs, const struct kvm_event *event, const struct lost_windows *lost);

/* Record what is open if it needs no kvm_entry. 0 or -ENOMEM. */
int pairs_end(struct pairs *pairs);

/* Whether the records' times fit into the time from the first to the last event. */
bool pairs_are_possible(const struct pairs *pairs);

void pairs_free(struct pairs *pairs);

#endif
