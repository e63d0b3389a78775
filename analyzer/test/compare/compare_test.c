// SPDX-License-Identifier: GPL-2.0-only
/*
 * compare_test.c - what compare says of recordings whose statistics are known, and the limits
 * of --fail-on
 */
#include <math.h>
#include <string.h>

#include "analyzer/query/compare/batches.h"
#include "analyzer/query/compare/gate.h"
#include "analyzer/scale/pairs.h"
#include "sql/test/check.h"

#define PAIRS 20

/* The same recordings as in the table of false_alarms, fewer of them and of fewer exits. */
static void test_processes_are_told_apart(void)
{
	for (const struct process *p = pairs_processes; p->name; p++) {
		struct process few = *p;
		struct pairs result;
		char error[512];

		if (p->seconds > 60)
			continue;
		few.per_s = 100;
		CHECK_EQ(pairs_count(test_path("pair.sqlite"), &few, PAIRS, &result, error), 0);
		fprintf(stderr, "%s: false %u, rate found %u, P50 found %u\n", p->name,
			result.false_any, result.found_rate, result.found_p50);

		/* 1 in 20; at most 2 are reported as changed with a probability of 92 %. */
		CHECK(result.false_any <= 2);
		if (p->dwell_s < 2 && !p->slow_cycles) {
			CHECK(result.found_rate >= 18);
			CHECK(result.found_p50 >= 18);
		}
	}
}

/* Of six exits five are lost: that alone makes a sixth of the rate. */
static void test_losses_are_no_change(void)
{
	const struct process all = {"Poisson", 10, .per_s = 1000, .dwell_s = 1,
				    .latency_cycles = 1500};
	struct process lossy = all, slower = all, longer = all;
	const char *path = test_path("pair.sqlite");
	struct change c;
	char error[512];

	lossy.lost = 5 / 6.0;
	slower.per_s /= 6;
	longer.lost = 5 / 6.0;
	longer.latency_cycles *= 2;

	CHECK_EQ(pairs_compare(path, &all, &slower, &c, error), 0);
	CHECK_EQ(c.rate.verdict, CHANGE_FOUND);
	CHECK_EQ(pairs_compare(path, &all, &lossy, &c, error), 0);
	CHECK_EQ(c.rate.verdict, CHANGE_LOST);
	CHECK(c.p50.verdict != CHANGE_FOUND);
	CHECK_EQ(pairs_compare(path, &lossy, &all, &c, error), 0);
	CHECK_EQ(c.rate.verdict, CHANGE_LOST);

	/* The exits that were lost may have been the short ones. */
	CHECK_EQ(pairs_compare(path, &all, &longer, &c, error), 0);
	CHECK_EQ(c.p50.verdict, CHANGE_LOST);

	/* What B has lost can't be why it has more. */
	lossy.per_s *= 8;
	CHECK_EQ(pairs_compare(path, &all, &lossy, &c, error), 0);
	CHECK_EQ(c.rate.verdict, CHANGE_FOUND);
}

static struct batches make_batches(const double *count, int n)
{
	struct batches b = {.n = n};

	for (int i = 0; i < n; i++) {
		b.count[i] = count[i];
		b.weight[i] = 1;
	}
	return b;
}

static struct batches even(int n, double count)
{
	struct batches b = {.n = n};

	for (int i = 0; i < n; i++) {
		b.count[i] = count;
		b.weight[i] = 1;
	}
	return b;
}

static void test_batches(void)
{
	const double burst[16] = {[3] = 400}, other[16] = {[9] = 500};
	struct batches a = make_batches(burst, 16), b = make_batches(other, 16);
	struct batches few = even(BATCHES_MIN - 1, 100), none = even(16, 0);
	struct batches hundred = even(16, 100), more = even(16, 120);

	/* One burst on each side is one event on each side. */
	CHECK(batches_p(&a, &b) > 0.5);
	CHECK(batches_p(&a, &none) > 0.5);
	CHECK(batches_p(&none, &none) >= 1);

	/* Exits in all batches of one side and none of the other: 2 * 0.5 ^ 16. */
	CHECK(fabs(batches_p(&hundred, &none) - 2 * pow(0.5, 16)) < 1e-9);

	CHECK(batches_p(&hundred, &hundred) > 0.99);
	CHECK(batches_p(&hundred, &more) < 1e-4);
	CHECK(batches_p(&more, &hundred) < 1e-4);

	CHECK(!batches_can_tell(&few, &hundred));
	CHECK(batches_p(&few, &more) >= 1);
}

/* Benjamini and Hochberg, by hand: 0.05 * rank / 4 is 0.0125, 0.025, 0.0375, 0.05. */
static void test_level(void)
{
	double some[4] = {0.03, 0.9, 0.001, 0.02}, none[4] = {0.5, 0.06, 0.9, 0.7};

	CHECK(fabs(batches_level(some, 4, 0.05) - 0.0375) < 1e-12);
	CHECK(batches_level(none, 4, 0.05) <= 0);
	CHECK(batches_level(NULL, 0, 0.05) <= 0);
}

static void test_limits_are_parsed(void)
{
	static const char *const bad[] = {"",	      "rate",	 "rate=",	"rate=x",   "new=3",
					  "p50=0",    "p50=-",	 "rate=1e999%", "rate=5%,", ",new",
					  "rate=5%%", "p999=1%", "rate =5"};
	struct app app = {0};
	struct gate gate;

	CHECK_EQ(gate_parse(&app, "rate=20%,p99=+10%,p50=-2.5,new,vanished", &gate), 0);
	CHECK_EQ(gate.limits, 5);
	CHECK_EQ(gate.limit[0].sign, 0);
	CHECK_EQ(gate.limit[1].sign, 1);
	CHECK_EQ(gate.limit[2].sign, -1);
	CHECK(fabs(gate.limit[2].limit - 0.025) < 1e-12);
	CHECK_EQ(gate.limit[4].metric, GATE_VANISHED);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (!gate_parse(&app, bad[i], &gate)) {
			fprintf(stderr, "\"%s\" was taken\n", bad[i]);
			check_failures++;
		}
	}
}

/* A rate that changes by @change; @missing_a, @missing_b: share that may have been dropped. */
static struct change rate_change(double change, double missing_a, double missing_b, double p)
{
	struct change c = {0};

	c.rate = (struct difference){.a = 100,
				     .b = 100 * (1 + change),
				     .change = change,
				     .least = (1 + change) / (1 + missing_a) - 1,
				     .most = (1 + change) * (1 + missing_b) - 1,
				     .p = p,
				     .by_chance = p > 0.05};
	return c;
}

static enum gate_result check_rate(const char *limits, struct change c)
{
	struct app app = {0};
	struct gate gate;
	char names[64];

	CHECK_EQ(gate_parse(&app, limits, &gate), 0);
	return gate_check(&gate, &c, names, sizeof(names));
}

static void test_limits_hold(void)
{
	CHECK_EQ(check_rate("rate=20%", rate_change(0.3, 0, 0, 0.001)), GATE_FAILED);
	CHECK_EQ(check_rate("rate=20%", rate_change(-0.3, 0, 0, 0.001)), GATE_FAILED);
	CHECK_EQ(check_rate("rate=+20%", rate_change(-0.3, 0, 0, 0.001)), GATE_PASSED);
	CHECK_EQ(check_rate("rate=-20%", rate_change(-0.3, 0, 0, 0.001)), GATE_FAILED);
	CHECK_EQ(check_rate("rate=20%", rate_change(0.1, 0, 0, 0.001)), GATE_PASSED);
	CHECK_EQ(check_rate("rate=20%", rate_change(0.3, 0, 0, 0.5)), GATE_PASSED);

	/* What is missing in A may be why it has fewer; what is missing in B can't. */
	CHECK_EQ(check_rate("rate=20%", rate_change(0.3, 5, 0, 0.001)), GATE_OPEN);
	CHECK_EQ(check_rate("rate=+20%", rate_change(0.3, 0, 5, 0.001)), GATE_FAILED);

	/* Alike, but one side may have six times as many. */
	CHECK_EQ(check_rate("rate=20%", rate_change(0, 0, 5, 1)), GATE_OPEN);
	CHECK_EQ(check_rate("rate=-20%", rate_change(0, 0, 5, 1)), GATE_PASSED);
}

/* A P50 that is longer by @change, of @exits on each side, of which nothing says if it is chance.
 */
static enum gate_result check_unjudged(const char *limits, double change, uint64_t exits)
{
	const struct group group = {.n = exits};
	struct change c = {.a = &group, .b = &group};

	c.p50 = (struct difference){.change = change,
				    .least = change,
				    .most = change,
				    .p = 1,
				    .by_chance = true,
				    .verdict = CHANGE_UNKNOWN};
	if (isinf(change))
		c.p50.least = -1;
	return check_rate(limits, c);
}

static void test_what_is_not_judged_does_not_pass(void)
{
	CHECK_EQ(check_unjudged("p50=20%", 0.3, 100), GATE_OPEN);
	CHECK_EQ(check_unjudged("p50=+20%", -0.3, 100), GATE_PASSED);
	CHECK_EQ(check_unjudged("p50=20%", 0.1, 100), GATE_PASSED);
	CHECK_EQ(check_unjudged("rate=20%", 0.3, 100), GATE_PASSED);

	/* The times are not known. */
	CHECK_EQ(check_unjudged("p50=20%", INFINITY, 100), GATE_OPEN);
	CHECK_EQ(check_unjudged("p50=-20%", INFINITY, 100), GATE_OPEN);

	/* Of so few exits any difference may be chance. */
	CHECK_EQ(check_unjudged("p50=20%", 0.3, 3), GATE_PASSED);
}

int main(void)
{
	test_what_is_not_judged_does_not_pass();
	test_batches();
	test_level();
	test_limits_are_parsed();
	test_limits_hold();
	test_losses_are_no_change();
	test_processes_are_told_apart();
	return check_result();
}
