// SPDX-License-Identifier: GPL-2.0-only
/*
 * gate.c - limits of what may change between two runs; see gate.h
 */
#include "analyzer/query/compare/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const metric_names[GATE_METRICS] = {"rate", "p50", "p99", "new", "vanished"};

static int bad_limit(struct app *app, const char *text, size_t length)
{
	return app_fail(
		app,
		"--fail-on %.*s: not a limit (examples: rate=20%%, p99=+10%%, p50=-5%%, new, vanished)",
		(int)(length < 64 ? length : 64), text);
}

/* A limit after '=': a sign, a number of percent, and '%' or not. */
static bool parse_limit(const char *text, const char *end, int *sign, double *limit)
{
	char *after;

	if (*text == '+' || *text == '-')
		*sign = *text++ == '+' ? 1 : -1;
	if (*text < '0' || *text > '9')
		return false;
	*limit = strtod(text, &after) / 100;
	if (*after == '%')
		after++;
	return after == end && *limit > 0 && isfinite(*limit);
}

/* One word of @whole, from @text to @end. */
static int parse_word(struct app *app, const char *whole, const char *text, const char *end,
		      struct gate *gate)
{
	size_t length = (size_t)(end - text), name = strcspn(text, "=,");
	int metric = 0, sign = 0;
	double limit = 0;
	bool valued;

	if (!length)
		return app_fail(
			app,
			"--fail-on %s: a limit is empty: one comma between two (example: rate=20%%,new)",
			whole);

	while (metric < GATE_METRICS && (strlen(metric_names[metric]) != name ||
					 strncmp(text, metric_names[metric], name) != 0))
		metric++;
	if (metric == GATE_METRICS || gate->limits == GATE_LIMITS)
		return bad_limit(app, text, length);

	valued = metric < GATE_NEW;
	if (valued != (name < length))
		return bad_limit(app, text, length);
	if (valued && !parse_limit(text + name + 1, end, &sign, &limit))
		return bad_limit(app, text, length);

	gate->limit[gate->limits].metric = (enum gate_metric)metric;
	gate->limit[gate->limits].sign = sign;
	gate->limit[gate->limits++].limit = limit;
	return 0;
}

int gate_parse(struct app *app, const char *text, struct gate *gate)
{
	const char *whole = text;

	gate->limits = 0;
	for (;;) {
		const char *end = text + strcspn(text, ",");

		if (parse_word(app, whole, text, end, gate))
			return -1;
		if (!*end)
			return 0;
		text = end + 1;
	}
}

static enum gate_result check_size(const struct difference *d, int sign, double limit)
{
	bool may_rise = sign >= 0 && d->most >= limit, may_fall = sign <= 0 && d->least <= -limit;

	if (!d->by_chance && ((may_rise && d->least >= limit) || (may_fall && d->most <= -limit)))
		return GATE_FAILED;

	/*
	 * It is by chance or below the limit, if the size is known and chance was asked: not where
	 * exits were dropped, or where nothing can be said of the difference.
	 */
	return (d->least < d->most || d->verdict == CHANGE_UNKNOWN) && (may_rise || may_fall)
		       ? GATE_OPEN
		       : GATE_PASSED;
}

/* A quantile. So few exits on both sides together are by chance, as they are for a rate. */
static enum gate_result check_quantile(const struct change *c, const struct difference *d, int sign,
				       double limit)
{
	return change_is_rare(c) ? GATE_PASSED : check_size(d, sign, limit);
}

/* A reason that is on one side only, by more than chance. */
static enum gate_result check_presence(const struct change *c, const struct group *has,
				       const struct group *has_not)
{
	if (!has || has_not)
		return GATE_PASSED;
	switch (c->rate.verdict) {
	case CHANGE_FOUND:
		return GATE_FAILED;
	case CHANGE_LOST:
		return GATE_OPEN;
	default:
		return GATE_PASSED;
	}
}

static enum gate_result check_limit(const struct gate *gate, int i, const struct change *c)
{
	int sign = gate->limit[i].sign;
	double limit = gate->limit[i].limit;

	/* The run is too short to say anything. */
	if (c->rate.verdict == CHANGE_UNKNOWN)
		return GATE_OPEN;

	switch (gate->limit[i].metric) {
	case GATE_RATE:
		return check_size(&c->rate, sign, limit);
	case GATE_P50:
		return check_quantile(c, &c->p50, sign, limit);
	case GATE_P99:
		return check_quantile(c, &c->p99, sign, limit);
	case GATE_NEW:
		return check_presence(c, c->b, c->a);
	case GATE_VANISHED:
		return check_presence(c, c->a, c->b);
	default:
		return GATE_PASSED;
	}
}

enum gate_result gate_check(const struct gate *gate, const struct change *c, char *names,
			    size_t size)
{
	enum gate_result worst = GATE_PASSED;
	bool named[GATE_METRICS] = {false};
	size_t used = 0;

	for (int i = 0; i < gate->limits; i++) {
		enum gate_result result = check_limit(gate, i, c);

		if (result > worst)
			worst = result;
	}

	*names = '\0';
	for (int i = 0; i < gate->limits && worst != GATE_PASSED; i++) {
		enum gate_metric metric = gate->limit[i].metric;

		if (named[metric] || used >= size || check_limit(gate, i, c) != worst)
			continue;
		named[metric] = true;
		snprintf(names + used, size - used, "%s%s", used ? "," : "", metric_names[metric]);
		used = strlen(names);
	}
	return worst;
}

const char *gate_result_name(enum gate_result result)
{
	static const char *const names[] = {"passed", "open", "failed"};

	return names[result];
}
