// SPDX-License-Identifier: GPL-2.0-only
/* losses.c - computes or estimates how many exits were lost */
#include "collector/source/trace/losses.h"

bool losses_are_open(const struct losses_reported *reported)
{
	return reported->more || reported->partial;
}

/* @events * @part / @all without overflow; @part <= @all. */
static uint64_t share(uint64_t events, uint64_t part, uint64_t all)
{
	return all ? (uint64_t)((double)events * ((double)part / (double)all)) : 0;
}

/* The exits among @events lost kvm_exit and kvm_entry. */
static uint64_t exits_among(uint64_t events, const struct losses_seen *seen)
{
	if (!seen->entries)
		return events;
	if (events + seen->missing < seen->halves)
		return 0;
	return (events + seen->missing - seen->halves) / 2;
}

/* Half an exit more: events were lost before the first event of a vCPU, or after its last one. */
static bool is_odd(uint64_t events, const struct losses_seen *seen)
{
	return seen->entries && (events ^ seen->missing ^ seen->halves) % 2;
}

struct losses losses_of(const struct losses_reported *reported, const struct losses_seen *seen)
{
	uint64_t ours = seen->exits + seen->entries;
	struct losses losses = {.exits = reported->exits, .exact = !losses_are_open(reported)};

	if (!reported->exits_known) {
		uint64_t events = reported->others
					  ? share(reported->events, ours, ours + reported->others)
					  : reported->events;

		events += reported->unread;
		losses.exits = exits_among(events, seen);
		if (reported->events && (reported->others || reported->may_be_others))
			losses.exact = false;
		losses.exact = losses.exact && !is_odd(events, seen);
	}

	/* A damaged line may hide others. */
	if (reported->unread)
		losses.exact = false;

	/* The turns don't show how many were lost where not all of them are traced. */
	if (!reported->exits_known && seen->reentered && (reported->events || reported->unread))
		losses.exact = false;
	if (!reported->exits_known && seen->entries &&
	    reported->events + reported->unread + seen->missing < seen->halves)
		losses.exact = false;

	/* Each of these gaps has at least one: a filter left it out, or the file hides a loss. */
	if (losses.exits < seen->missing) {
		losses.exits = seen->missing;
		losses.exact = false;
	}
	return losses;
}

uint64_t losses_most(const struct losses_reported *reported, const struct losses_seen *seen)
{
	uint64_t events = reported->events + reported->unread;
	uint64_t most = reported->exits_known ? reported->exits
					      : exits_among(events, seen) + is_odd(events, seen);

	if (losses_are_open(reported))
		return 0;
	return most > seen->missing ? most : seen->missing;
}
