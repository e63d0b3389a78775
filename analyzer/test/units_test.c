// SPDX-License-Identifier: GPL-2.0-only
/*
 * units_test.c - units, distributions and JSON strings
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/app.h"
#include "analyzer/query/sums/dist.h"
#include "base/json_quote.h"
#include "base/units.h"
#include "sql/hist.h"

static int failed;

static void same(const char *what, const char *is, const char *want)
{
	if (strcmp(is, want)) {
		printf("%s: \"%s\", not \"%s\"\n", what, is, want);
		failed = 1;
	}
}

static void test_whole_numbers(void)
{
	static const struct {
		const char *text;
		int64_t least, most, number;
	} parsed[] = {{"0", 0, 9, 0},
		      {"9", 0, 9, 9},
		      {"007", 0, 9, 7},
		      {"9223372036854775807", 0, INT64_MAX, INT64_MAX},
		      {"10", 0, 9, -1},
		      {"0", 1, 9, -1},
		      {"", 0, 9, -1},
		      {" 1", 0, 9, -1},
		      {"+1", 0, 9, -1},
		      {"-1", 0, 9, -1},
		      {"1 ", 0, 9, -1},
		      {"1.0", 0, 9, -1},
		      {"0x1", 0, 9, -1},
		      {"1e0", 0, 9, -1},
		      {"9223372036854775808", 0, INT64_MAX, -1},
		      {"18446744073709551617", 0, INT64_MAX, -1}};

	for (size_t i = 0; i < sizeof(parsed) / sizeof(parsed[0]); i++) {
		int64_t number = -1;
		int rc =
			units_parse_whole(parsed[i].text, parsed[i].least, parsed[i].most, &number);

		if (!rc != (parsed[i].number >= 0) || number != parsed[i].number) {
			printf("units_parse_whole \"%s\": %d, %" PRId64 "\n", parsed[i].text, rc,
			       number);
			failed = 1;
		}
	}
}

static void test_units(void)
{
	static const struct {
		double ns;
		const char *text;
	} times[] = {{0, "0 ns"},	 {953, "953 ns"},     {999.6, "1.00 us"}, {1234, "1.23 us"},
		     {12345, "12.3 us"}, {999600, "1.00 ms"}, {1.02e9, "1.02 s"}, {99e9, "99.0 s"},
		     {6e11, "10.0 min"}, {9.996e6, "10.0 ms"}};
	static const struct {
		const char *text;
		int64_t ns;
	} parsed[] = {{"10s", 10000000000},
		      {"1.5ms", 1500000},
		      {"200us", 200000},
		      {"7ns", 7},
		      {"2", 2000000000},
		      {"1min", 60000000000},
		      {"x", -1},
		      {"-1s", -1},
		      {"1 s", -1},
		      {"", -1},
		      {"nan", -1},
		      {"1e30s", -1},
		      {"inf", -1},
		      {"0x10s", -1},
		      {"+1s", -1},
		      {" 1s", -1},
		      {"1e3ns", -1},
		      {"1,5s", -1},
		      {"1.2.3s", -1},
		      {".", -1},
		      {"1m", 60000000000},
		      {"2h", 7200000000000},
		      {"1d", 86400000000000},
		      {"17898921595961293ns", 17898921595961293}, /* above 2^53 */
		      {"5.s", 5000000000},
		      {".5ms", 500000},
		      {"99999999999999999999ns", -1}};
	char text[UNITS_TEXT];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		same("units_ns", units_ns(times[i].ns, text), times[i].text);
	same("units_count", units_count(1234567, text), "1,234,567");
	same("units_count", units_count(-123456, text), "-123,456");
	same("units_count", units_count(INT64_MIN, text), "-9,223,372,036,854,775,808");
	same("units_share", units_share(0.99999, text), ">99.9 %");
	same("units_share", units_share(1, text), "100.0 %");
	same("units_share", units_share(0.0001, text), "<0.1 %");
	same("units_share", units_share(0, text), "0.0 %");
	for (size_t i = 0; i < sizeof(parsed) / sizeof(parsed[0]); i++) {
		int64_t ns = -1;
		int rc = units_parse_ns(parsed[i].text, &ns);

		if (ns != parsed[i].ns || !rc != (parsed[i].ns >= 0)) {
			printf("units_parse_ns %s: %" PRId64 "\n", parsed[i].text, ns);
			failed = 1;
		}
	}
	if (cycles_to_ns(INT64_MAX / 2, 3000000) != INT64_MAX / 2 / 3 &&
	    llabs(cycles_to_ns(INT64_MAX / 2, 3000000) - INT64_MAX / 6) > 1) {
		printf("cycles_to_ns overflows\n");
		failed = 1;
	}
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Quantiles of @n values against the exact ones: off by at most 1/128. */
static void check_quantiles(const char *what, uint64_t *value, size_t n)
{
	static const double qs[] = {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
	struct dist d = {0};

	for (size_t i = 0; i < n; i++)
		if (dist_add(&d, hist_bucket(value[i]), 1))
			abort();
	qsort(value, n, sizeof(*value), ascending);
	for (size_t i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
		uint64_t exact = value[dist_rank(n, qs[i]) - 1], is = dist_quantile(&d, qs[i]);
		uint64_t off = is > exact ? is - exact : exact - is;

		if (off > exact / 128 + 1) {
			printf("%s: quantile %g is %" PRIu64 ", not %" PRIu64 "\n", what, qs[i], is,
			       exact);
			failed = 1;
		}
	}
	dist_free(&d);
}

/* Kept values: quantiles are exact, of one distribution and of many that are added up. */
static void check_exact(const char *what, const uint64_t *value, size_t n)
{
	enum { PIECES = 7 };

	uint64_t *sorted = malloc(n * sizeof(*sorted));
	struct dist one = {0}, sum = {0}, piece[PIECES] = {0};
	int rc = sorted ? 0 : -1;

	for (size_t i = 0; i < n && !rc; i++) {
		sorted[i] = value[i];
		rc = dist_add_value(&one, value[i]);
		/* Pieces of very different sizes. */
		rc |= dist_add_value(&piece[i % 100 < PIECES ? i % 100 : 0], value[i]);
	}
	for (int i = 0; i < PIECES && !rc; i++)
		rc = dist_sort(&piece[i]) | dist_add_all(&sum, &piece[i]);
	if (rc || dist_sort(&one) || dist_sort(&sum))
		abort();

	qsort(sorted, n, sizeof(*sorted), ascending);
	for (uint64_t rank = 1; rank <= n; rank += 1 + n / 1000) {
		double q = (double)rank / (double)n;
		uint64_t exact = sorted[dist_rank(n, q) - 1];

		if (dist_quantile(&one, q) == exact && dist_quantile(&sum, q) == exact)
			continue;
		printf("%s: quantile %g is %" PRIu64 " and %" PRIu64 ", not %" PRIu64 "\n", what, q,
		       dist_quantile(&one, q), dist_quantile(&sum, q), exact);
		failed = 1;
	}
	if (one.total != n || sum.total != n || one.kept != n || sum.kept != n) {
		printf("%s: %" PRIu64 " and %" PRIu64 " values, not %zu\n", what, one.total,
		       sum.total, n);
		failed = 1;
	}

	for (int i = 0; i < PIECES; i++)
		dist_free(&piece[i]);
	dist_free(&one);
	dist_free(&sum);
	free(sorted);
}

static void test_dist(void)
{
	static uint64_t value[3 * DIST_MANY]; /* so that values are sorted and counted */
	size_t n = sizeof(value) / sizeof(value[0]);
	struct dist none = {0};

	srand(1);
	for (size_t i = 0; i < n; i++)
		value[i] = 12345;
	check_exact("constant", value, n);
	check_quantiles("constant", value, n);
	for (size_t i = 0; i < n; i++)
		value[i] = 500 + (uint64_t)(1e6 / (1 + rand() % 10000));
	check_exact("skewed", value, n);
	check_quantiles("skewed", value, n);
	for (size_t i = 0; i < n; i++)
		value[i] = (UINT64_C(1) << (40 + i % 22)) + (uint64_t)rand();
	check_exact("huge", value, n);
	check_quantiles("huge", value, n);
	for (size_t i = 0; i < n; i++)
		value[i] = (uint64_t)(rand() % 200);
	check_exact("small", value, n);
	check_quantiles("small", value, n);
	check_quantiles("one", value, 1);
	if (dist_quantile(&none, 0.5)) {
		printf("the median of nothing is not 0\n");
		failed = 1;
	}
}

static void test_json(void)
{
	char text[128] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	json_quote(file, "a\"b\\c\n\xc3\xa4\xff\xe2\x82");
	fclose(file);
	same("json_quote", text, "\"a\\\"b\\\\c\\u000a\xc3\xa4\\ufffd\\ufffd\\ufffd\"");
}

int main(void)
{
	test_units();
	test_whole_numbers();
	test_dist();
	test_json();
	if (!failed)
		puts("units, distributions and JSON strings are right");
	return failed;
}
