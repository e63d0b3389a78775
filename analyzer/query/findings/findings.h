/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * findings.h - what stands out in a recording, why, and what to do about it
 *
 * Each rule compares what was recorded with a threshold. A rule that does not hold says nothing.
 * Rules about time do not apply to emulated machines, whose times are not real, and rules
 * about shares of exits not to recordings from which exits were filtered.
 *
 *	findings.c (the list) -> shares.c, time.c, memory.c (the rules) -> data.c (what they read)
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_FINDINGS_FINDINGS_H
#define EXITSCOPE_ANALYZER_QUERY_FINDINGS_FINDINGS_H

#include "analyzer/query/sums/agg.h"

#define FINDING_TEXT 400

/*
 * struct finding - a rule that holds
 * @rule: its name, which stays the same
 * @vm: the VM that it is about (vm.id); -1: all that pass the filter
 * @weight: share of time or exits that it is about, 0 to 1
 * @title, @evidence: of this recording; may hold names from elsewhere
 * @threshold, @remedy, @source: of the rule
 */
struct finding {
	const char *rule;
	int64_t vm;
	double weight;
	char title[FINDING_TEXT];
	char evidence[FINDING_TEXT];
	const char *threshold;
	const char *remedy;
	const char *source;
};

/* The heaviest first; losses before all, then steal. @limits: what could not be looked at, a
 * sentence each. */
struct findings {
	struct finding *finding;
	unsigned int count;
	const char *limits[4];
	unsigned int n_limits;
};

/**
 * findings_read - apply all rules to the exits that pass --vm, --vcpu, --from and --to
 * @keys: their sums BY_SUBKEY, if the caller has them; NULL: they are read
 *
 * A filter by reason is refused: rules need all exits. Return: 0, or -1 with app->error; call
 * findings_free() in any case.
 */
int findings_read(struct app *app, const struct run *run, const struct agg *keys,
		  struct findings *findings);

/* The same for rule steal alone, which reads sums only; nothing with a filter by reason. */
int findings_read_steal(struct app *app, const struct run *run, struct findings *findings);
void findings_free(struct findings *findings);

#endif
