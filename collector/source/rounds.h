/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rounds.h - reads the rings of all vCPUs in turn, for the sources that have rings
 *
 * In a round each ring is read once: all that it holds, but no more than its size, so that no
 * vCPU starves the others. Before a round, and now and then in a round, the source scans for new
 * rings and adds them: a round over many rings that fill as fast as they are read takes seconds,
 *and a VM that is gone by then would have no name. A scan has a limit, too: VMs that come faster
 *than rings are added don't keep the rings that are open from being read and closed.
 *
 *	rounds_take_back()
 *	if rounds_needs_rings():
 *		rounds_add() a new ring and hand on rounds_give_vcpu(), or
 *		rounds_go_on()
 *	rounds_next()
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_ROUNDS_H
#define EXITSCOPE_COLLECTOR_SOURCE_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/ring.h"
#include "collector/source/source.h"

/*
 * struct rounds_vcpu - a vCPU and its ring
 * @budget:	records that may still be read in this round
 * @is_ended:	ring_end() was called
 */
struct rounds_vcpu {
	struct ring ring;
	uint32_t budget;
	bool is_ended;
	bool is_closed;
};

/*
 * struct rounds - to be initialized by rounds_init()
 * @vcpus:	vcpus[count], by the number of the vCPU (struct source_item)
 * @open:	open[open_count], the numbers of those that are not closed
 * @comm:	of the vCPU that was handed on last
 * @tsc_khz:	as it was measured, where the rings don't have it; 0: not measured yet
 * @cursor:	place in @open of the vCPU whose turn it is; -1: the round is over
 * @lender:	vCPU whose records the caller has, @lent of them; -1: none
 * @closing:	vCPU whose end the caller has, it is the one at @cursor; -1: none
 * @is_scanning:	for new rings, since @scan_start_ns
 * @has_more:	the last scan ended before all new rings were added
 * @next_scan_ns: when the next scan begins, if the round is not over by then
 * @is_stopping: set by the source: rings end with what was published by now
 */
struct rounds {
	struct rounds_vcpu *vcpus;
	int count;
	int *open;
	int open_count;
	char comm[32];
	uint32_t tsc_khz;

	int cursor;
	int lender;
	uint32_t lent;
	int closing;
	bool is_scanning;
	bool has_more;
	int64_t scan_start_ns;
	int64_t next_scan_ns;
	bool is_stopping;
};

/*
 * A scan adds no ring after this time. The round goes on for as long as the scan took, at least
 * this time, before the next scan.
 */
#define ROUNDS_SCAN_NS INT64_C(10000000)

void rounds_init(struct rounds *rounds);

/* Closes the rings that are open. */
void rounds_free(struct rounds *rounds);

/*
 * Open the ring that @fd is attached to, for a new vCPU. @fd is closed with the ring, and when
 * this fails. Returns the vCPU's number or -errno (-ENOMEM, or what ring_open() returns).
 */
int rounds_add(struct rounds *rounds, int fd);

/* The same for a ring whose records found no memory: see ring_open_lost(). */
int rounds_add_lost(struct rounds *rounds, int fd, bool from_creation);

/*
 * Take back what the last rounds_next() gave. Returns the number of the vCPU whose ring is closed
 * now, because its end was given; @was_gone: it had been destroyed. -1: no ring.
 */
int rounds_take_back(struct rounds *rounds, bool *was_gone);

/*
 * Whether to scan for new rings now: the round is over, or the last scan is long ago. A scan
 * that has begun lasts until rounds_go_on(), or until its time is up; then the next round begins if
 * the last one is over.
 */
bool rounds_needs_rings(struct rounds *rounds, int64_t now_ns);

/* All new rings are added: begins the next round if the last one is over. @now_ns: as above. */
void rounds_go_on(struct rounds *rounds, int64_t now_ns);

/* Fill @item with vCPU @number, and @source->info with what its ring knows about the machine. */
void rounds_give_vcpu(struct rounds *rounds, int number, struct source *source,
		      struct source_item *item);

/*
 * Fill @item with the next records of the round or the end of a vCPU. SOURCE_NOTHING: the round
 * is over; with @has_more other rings wait. SOURCE_FINISHED: so is the recording, and
 * @source->info has its end.
 */
void rounds_next(struct rounds *rounds, struct source *source, struct source_item *item);

/* See struct source_ops. */
int rounds_read_totals(const struct rounds *rounds, source_see_totals *see, void *context);

#endif
