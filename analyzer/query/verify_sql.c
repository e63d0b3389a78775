// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify_sql.c - the equations as SQL; see verify.h
 *
 * In x, one row per vCPU and reason, a count that was not stored is 0; the
 * columns has_* tell whether a source took part at all.
 */
#include "analyzer/query/verify.h"

#include "analyzer/query/equations.h"

#define SUM(source) "coalesce(sum(n) FILTER (WHERE source = '" source "'), 0)"
#define MATCH(name) "coalesce(sum(n) FILTER (WHERE source = 'match' AND name = '" name "'), 0)"
#define HAS(source) "EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = '" source "')"

/* "12 dropped, " or nothing. */
#define PART(n, words) "CASE WHEN " n " <> 0 THEN printf('%lld " words ", ', " n ") ELSE '' END"

/* clang-format off: it knows nothing of SQL */
const char verify_common
	[] = "WITH v AS MATERIALIZED (SELECT c.*, m.id AS vm FROM vcpu c JOIN vm m ON m.id = "
	     "c.vm_id"
	     "  WHERE m.run_id = ?1), x AS MATERIALIZED (SELECT v.vm, v.vcpu_id, v.open_exits,"
	     " v.ended, k.vcpu, k.reason,  " SUM(
		     "totals") " AS real, " SUM("totals_synthesized") " AS synth,  sum(k.cycles) "
								      "FILTER (WHERE source = "
								      "'totals') AS cycles,  " SUM("totals_dropped") " AS dropped, " SUM("totals_filtered") " AS filtered,  " SUM("totals_unread") " AS unread, " SUM("tracefs_exit") " AS traced,  " MATCH("records") " AS records, " MATCH("matched") " AS matched,  " MATCH("differ") " AS differ, " MATCH("before") " AS before,  " MATCH("after") " AS after, " MATCH("open") " AS open, " MATCH(
									      "gap") " AS gap, "
										     " " MATCH(
											     "unt"
											     "rac"
											     "ed") " AS untraced, " MATCH("synthesized") " AS"
																	 " synth_records,  " MATCH("trace_only") " AS trace_only, " MATCH(
																		 "record_only") " AS"
																				" record_only,  " MATCH("shorter") " AS shorter, " MATCH(
																					"overlaps") " AS overlaps"
																						    "  FROM crosscheck k JOIN v ON v.id = k.vcpu WHERE k.run_id = ?1  GROUP BY k.vcpu,"
																						    " k.reason), r AS MATERIALIZED (SELECT u.vcpu, v.vm, v.vcpu_id,  CASE ?2 WHEN 1 THEN"
																						    " u.reason & 0xffff ELSE u.reason END AS reason,  sum(u.n) AS n, sum(u.n_synth) AS"
																						    " synth, sum(u.cycles) AS cycles  FROM exit_rollup u JOIN v ON v.id = u.vcpu GROUP BY"
																						    " u.vcpu, 4), lost AS MATERIALIZED (SELECT coalesce(sum(n), 0) AS n FROM crosscheck"
																						    "  WHERE run_id = ?1 AND source = 'tracefs_lost') ";

/*
 * Records that the file holds against the always-on totals, all exits of a vCPU. One of
 * them at most can be open.
 */
static const char records_sql[] =
	"SELECT vm, vcpu_id, NULL, held, total, total - held - dropped - filtered - unread "
	"-"
	" min(open_exits, 1), " PART("dropped", "dropped") " || " PART(
		"filtered",
		"filtered") " || " PART("unread",
					"before it was read") " || " PART("min(open_exits, "
									  "1)",
									  "not re-entered "
									  "yet") " FROM "
										 "(SELECT "
										 "v.vm, "
										 "v.vcpu_"
										 "id, "
										 "v.open_"
										 "exits, "
										 "sum(x."
										 "real + "
										 "x.synth) "
										 "AS total,"
										 "  "
										 "sum(x."
										 "dropped) "
										 "AS "
										 "dropped, "
										 "sum(x."
										 "filtered)"
										 " AS "
										 "filtered,"
										 " sum(x."
										 "unread) "
										 "AS "
										 "unread,"
										 "  "
										 "(SELECT "
										 "coalesce("
										 "sum(n), "
										 "0) FROM "
										 "r WHERE "
										 "r.vcpu = "
										 "v.id) AS "
										 "held  "
										 "FROM v "
										 "JOIN x ON"
										 " x.vcpu "
										 "= v.id "
										 "GROUP BY "
										 "v.id) "
										 "WHERE"
										 " " HAS("t"
											 "o"
											 "t"
											 "a"
											 "l"
											 "s");

/* The same per reason; the open exit has one of them. */
static const char reasons_sql[] =
	"SELECT x.vm, x.vcpu_id, x.reason, coalesce(r.n, 0), x.real + x.synth, CASE "
	"WHEN x.real"
	" + x.synth - coalesce(r.n, 0) - x.dropped - x.filtered - x.unread  BETWEEN 0 "
	"AND"
	" x.open_exits THEN 0  ELSE x.real + x.synth - coalesce(r.n, 0) - x.dropped -"
	" x.filtered - x.unread END, " PART("x.dropped", "dropped") " || " PART(
		"x.filtered",
		"filt"
		"ere"
		"d") " || " PART("x.unread",
				 "before it was read") " || " PART("(x.real + x.synth "
								   "- coalesce(r.n, "
								   "0) - "
								   "x.dropped - "
								   "x.filtered - "
								   "x.unread)",
								   "not re-entered "
								   "yet") " FROM x "
									  "LEFT JOIN "
									  "r ON "
									  "r.vcpu = "
									  "x.vcpu AND "
									  "r.reason = "
									  "x.reason "
									  "WHERE "
									  "x.reason "
									  "IS NOT"
									  " NULL AND "
									  "x.real + "
									  "x.synth > "
									  "0 UNION "
									  "ALL "
									  "SELECT "
									  "r.vm, "
									  "r.vcpu_id, "
									  "r.reason, "
									  "r.n, 0,"
									  " r.n, '' "
									  "FROM r "
									  "WHERE " HAS(
										  "tot"
										  "al"
										  "s") "  AND "
										       "NOT "
										       "EXISTS "
										       "(SELECT "
										       "1 FROM "
										       "x WHERE "
										       "x.vcpu"
										       " = "
										       "r.vcpu "
										       "AND "
										       "x."
										       "reason "
										       "= "
										       "r."
										       "reason  "
										       " AND "
										       "x.real "
										       "+ "
										       "x.synth "
										       "> 0)  "
										       "AND NOT "
										       "EXISTS "
										       "(SELECT"
										       " 1 FROM "
										       "x WHERE "
										       "x.vcpu "
										       "= "
										       "r.vcpu "
										       "AND "
										       "x."
										       "reason "
										       "IS NULL "
										       "  AND "
										       "x.real "
										       "+ "
										       "x.synth "
										       "> 0)";

/* Times, where nothing is missing. */
static const char cycles_sql[] =
	"SELECT x.vm, x.vcpu_id, x.reason, r.cycles, x.cycles, x.cycles - r.cycles, '' FROM x"
	" JOIN r ON r.vcpu = x.vcpu AND r.reason = x.reason WHERE x.cycles IS NOT NULL AND"
	" x.dropped + x.filtered + x.unread = 0";

static const char synthesized_sql[] =
	"SELECT x.vm, x.vcpu_id, x.reason, coalesce(r.synth, 0), x.synth, CASE WHEN x.synth -"
	" coalesce(r.synth, 0) BETWEEN 0 AND x.dropped + x.filtered + x.unread  + x.open_exits"
	" THEN 0 ELSE x.synth - coalesce(r.synth, 0) END, " PART(
		"(x.synth - coalesce(r.synth, 0))",
		"dropped, filtered, before it was read or open") " FROM x LEFT JOIN r ON r.vcpu = "
								 "x.vcpu AND r.reason = x.reason "
								 "WHERE x.reason IS NOT"
								 " NULL AND (x.synth > 0 OR "
								 "r.synth > 0)";

/* Gaps of the sequence numbers against what the ring says that it dropped. */
static const char losses_sql[] =
	"SELECT v.vm, v.vcpu_id, NULL, (SELECT coalesce(sum(n), 0) FROM loss WHERE loss.vcpu ="
	" v.id), (SELECT coalesce(sum(dropped), 0) FROM x WHERE x.vcpu = v.id), (SELECT"
	" coalesce(sum(dropped), 0) FROM x WHERE x.vcpu = v.id)  - (SELECT coalesce(sum(n), 0)"
	" FROM loss WHERE loss.vcpu = v.id), '' FROM v WHERE " HAS("totals");

/* Roll-ups against histograms and rows. */
static const char store_sql[] =
	"SELECT v.vm, v.vcpu_id, NULL, v.recorded, rolled, abs(v.recorded - rolled) +"
	" abs(rolled - hist) + CASE (SELECT has_raw FROM run WHERE id = ?1)  WHEN 1 THEN"
	" abs(rolled - (SELECT count(*) FROM exit WHERE vcpu = v.id)) ELSE 0 END, '' FROM"
	" (SELECT v.*, (SELECT coalesce(sum(n), 0) FROM exit_rollup WHERE vcpu = v.id)  AS"
	" rolled, (SELECT coalesce(sum(n), 0) FROM exit_hist WHERE vcpu = v.id AND part = 0)"
	"  AS hist FROM v) v";

/*
 * Real exits against kvm_exit events. The exit that was open when the recording began
 * or ended may be traced on the other side of that instant. Events that were lost where
 * records were dropped too leave nothing that tells their reason.
 */
static const char tracefs_sql[] =
	"SELECT vm, vcpu_id, reason, real, traced,"
	" CASE WHEN rest BETWEEN -lost AND unread + late + lost THEN 0 ELSE rest "
	"END, " PART("before", "traced before recording") " || " PART(
		"after",
		"traced "
		"after it") " || " PART("untraced",
					"recorded where events were lost") " || " PART("rest",
										       "unread, "
										       "lost on "
										       "both "
										       "sides, or "
										       "open at "
										       "the end "
										       "and traced "
										       "later") " F"
												"RO"
												"M "
												"(S"
												"EL"
												"EC"
												"T"
												" v"
												"m,"
												" "
												"vc"
												"pu"
												"_"
												"id"
												", "
												"re"
												"as"
												"on"
												","
												" r"
												"ea"
												"l,"
												" "
												"tr"
												"ac"
												"ed"
												","
												" b"
												"ef"
												"or"
												"e"
												", "
												"af"
												"te"
												"r,"
												" "
												"un"
												"tr"
												"ac"
												"e"
												"d,"
												" r"
												"ea"
												"l "
												"- "
												"(t"
												"ra"
												"ce"
												"d"
												" -"
												" "
												"be"
												"fo"
												"re"
												" "
												"- "
												"af"
												"te"
												"r "
												"+ "
												"un"
												"tr"
												"ac"
												"e"
												"d)"
												" A"
												"S "
												"re"
												"st"
												","
												" u"
												"nr"
												"ea"
												"d"
												", "
												"(S"
												"EL"
												"EC"
												"T"
												" n"
												" "
												"FR"
												"OM"
												" "
												"lo"
												"st"
												") "
												"* "
												"(d"
												"ro"
												"pp"
												"e"
												"d "
												"> "
												"0)"
												" "
												"AS"
												" "
												"lo"
												"st"
												","
												" o"
												"pe"
												"n_"
												"ex"
												"it"
												"s "
												"- "
												"(S"
												"EL"
												"EC"
												"T"
												" s"
												"um"
												"(y"
												"."
												"op"
												"en"
												") "
												"FR"
												"OM"
												" x"
												" "
												"y "
												"WH"
												"ER"
												"E "
												"y."
												"vc"
												"pu"
												" "
												"= "
												"x."
												"vc"
												"pu"
												")"
												" A"
												"S "
												"la"
												"te"
												" F"
												"RO"
												"M "
												"x "
												"WH"
												"ER"
												"E "
												"re"
												"as"
												"on"
												" "
												"IS"
												" N"
												"OT"
												" "
												"NU"
												"LL"
												" "
												"AN"
												"D "
												"re"
												"al"
												" +"
												" "
												"tr"
												"ac"
												"ed"
												" "
												"> "
												"0)"
												" "
												"WH"
												"ER"
												"E"
												" " HAS("tracefs_entry") " AND " HAS(
													"totals");

/* Exit by exit. */
static const char match_sql[] =
	"SELECT vm, vcpu_id, reason, records - synth_records, matched, max(trace_only -"
	" filtered, 0) + record_only + differ, " PART(
		"untraced",
		"recorded where events were "
		"lost") " || " PART("gap",
				    "traced where records were dropped") " || " PART("min(trace_only, filtered)",
										     "traced and filtered out") " || " PART("max(trace_only - filtered, 0)",
															    "TRACED WITHOUT A RECORD") " || " PART("reco"
																				   "rd_"
																				   "onl"
																				   "y",
																				   "RECO"
																				   "RDED"
																				   " WIT"
																				   "HOUT"
																				   " A "
																				   "TRAC"
																				   "E "
																				   "EVEN"
																				   "T") " || " PART("differ",
																						    "OF ANOTHER REASON") " FROM x WHERE reason IS NOT NULL AND records +"
																									 " traced > 0 AND " HAS(
																										 "tracefs_entry");

/* The last exit of a vCPU that lives has no record yet; one that is gone has. */
static const char open_sql[] =
	"SELECT v.vm, v.vcpu_id, NULL, v.open_exits, sum(x.open), max(sum(x.open) -"
	" v.open_exits, 0), '' FROM v JOIN x ON x.vcpu = v.id WHERE " HAS(
		"tracefs_entry") " GROUP BY v.id";

static const char time_sql[] =
	"SELECT vm, vcpu_id, reason, matched, matched - shorter, shorter + "
	"overlaps, " PART("shorter", "SHORTER THAN THE TRACED INTERVAL") " || " PART(
		"overlaps", "UP TO THE NEXT EXIT OR BEYOND") " FROM x WHERE matched > "
							     "0 AND " HAS("tracefs_"
									  "exit");

/* kvm_entry against kvm_exit. */
static const char entries_sql[] =
	"SELECT vm, vcpu_id, NULL, entries, exits, CASE WHEN abs(entries - exits - vmfail) <= 1"
	" + (SELECT n FROM lost) THEN 0  ELSE entries - exits - vmfail END, " PART(
		"vmfail",
		"VM entries that failed with VMfail") " || CASE WHEN entries - exits -"
						      " vmfail = 0 THEN '' WHEN abs(entries - "
						      "exits - vmfail) <= 1  THEN printf('%+lld at "
						      "the"
						      " edges, ', entries - exits - vmfail)  ELSE "
						      "printf('%+lld by lost events and edges, ',"
						      " entries - exits - vmfail) END FROM (SELECT "
						      "v.vm, v.vcpu_id, v.vmfail, (SELECT sum(n)"
						      " FROM crosscheck k WHERE   k.run_id = ?1 "
						      "AND k.vcpu = v.id AND source ="
						      " 'tracefs_entry' AND name = 'entries')  AS "
						      "entries, (SELECT coalesce(sum(traced), 0)"
						      " FROM x WHERE x.vcpu = v.id) AS exits FROM "
						      "v) WHERE entries IS NOT NULL";

/* A counter and the events traced while it ran, of all VMs. */
#define PERF(source)                                                                               \
	"SELECT NULL, NULL, NULL, n, high, CASE WHEN n < low THEN n - low WHEN n > high + lost"    \
	"  THEN n - high - lost ELSE 0 END,"                                                       \
	" " PART("(high - low)", "at the edges") " || " PART(                                      \
		"max(n - high, 0)",                                                                \
		"lost events") " FROM (SELECT sum(n) FILTER (WHERE name = 'count') AS n,"          \
			       "  sum(n) FILTER (WHERE name = 'at least') AS low,"                 \
			       "  sum(n) FILTER (WHERE name = 'at most') AS high, (SELECT n FROM " \
			       "lost) AS lost"                                                     \
			       "  FROM crosscheck WHERE run_id = ?1 AND source = '" source         \
			       "') WHERE n IS NOT NULL"

static const char perf_exit_sql[] = PERF("perf_exit");
static const char perf_entry_sql[] = PERF("perf_entry");

/* KVM's own count of a VM against the totals pages of all its vCPUs. */
static const char kvm_stat_sql[] =
	"SELECT vm, NULL, NULL, n, low, CASE WHEN n < low THEN n - low WHEN n > high  THEN n -"
	" high ELSE 0 END, " PART(
		"(high - low)",
		"while it was read") " FROM (SELECT v.vm,"
				     " sum(k.n) FILTER (WHERE source = 'kvm_stat_vm' AND name = "
				     "'exits') AS n,  sum(k.n)"
				     " FILTER (WHERE source = 'kvm_stat_bound' AND name = 'at "
				     "least') AS low,  sum(k.n)"
				     " FILTER (WHERE source = 'kvm_stat_bound' AND name = 'at "
				     "most') AS high  FROM"
				     " crosscheck k JOIN v ON v.id = k.vcpu WHERE k.run_id = ?1 "
				     "GROUP BY v.vm) WHERE n IS"
				     " NOT NULL AND low IS NOT NULL";

/* The same against what was recorded, of VMs seen from their creation. */
static const char kvm_stat_run_sql[] =
	"SELECT vm, NULL, NULL, n, total + vmfail, n - total - vmfail, " PART(
		"synth",
		"synthesized") " || " PART("vmfail",
					   "VMfail") " FROM (SELECT v.vm,"
						     " (SELECT sum(k.n) FROM crosscheck k WHERE "
						     "k.run_id = ?1   AND source = 'kvm_stat_vm'"
						     " AND name = 'exits' AND k.vcpu IN   (SELECT "
						     "id FROM v w WHERE w.vm = v.vm)) AS n,"
						     "  (SELECT sum(real + synth) FROM x WHERE "
						     "x.vm = v.vm) AS total,  (SELECT sum(synth)"
						     " FROM x WHERE x.vm = v.vm) AS synth, "
						     "sum(v.vmfail) AS vmfail,  (SELECT max(k.n) -"
						     " min(k.n) FROM crosscheck k WHERE k.run_id = "
						     "?1 AND   source = 'kvm_stat_bound' AND"
						     " k.vcpu IN (SELECT id FROM v w WHERE w.vm = "
						     "v.vm)) AS moving,  (SELECT count(*) FROM"
						     " crosscheck k WHERE k.run_id = ?1 AND "
						     "k.source = 'match'   AND k.name = 'before' "
						     "AND"
						     " k.vcpu IN (SELECT id FROM v w WHERE w.vm = "
						     "v.vm)) AS late,  sum(v.unread) AS unread"
						     " FROM v GROUP BY v.vm) WHERE n IS NOT NULL "
						     "AND moving = 0 AND late = 0 AND unread = 0"
						     " AND n >= total";

/*
 * A guest's readings of the CPUID leaves. The n-th reading is the n-th CPUID exit
 * with such a leaf; the counts are those up to that exit and including it, the
 * cycles those of the exits before it.
 */
static const char leaf_sql[] =
	", q AS MATERIALIZED (SELECT row_number() OVER (ORDER BY e.tsc) AS at, e.tsc, e.key,"
	"  coalesce(e.key_aux, 0) AS aux, v.vm, v.vcpu_id FROM exit e JOIN v ON v.id = e.vcpu"
	"  WHERE CASE ?2 WHEN 1 THEN e.reason & 0xffff = 10 ELSE e.reason = 0x72 END  AND e.key"
	" BETWEEN 0x4ffffffc AND 0x4fffffff), l AS (SELECT row_number() OVER (ORDER BY seq) AS"
	" at, * FROM leaf_reading WHERE run_id = ?1), e AS (SELECT v.vm, e.tsc, CASE ?2 WHEN 1"
	" THEN e.reason & 0xffff ELSE e.reason END AS reason,  CASE (SELECT"
	" json_extract(module_parameters, '$.kvm.leaf_time') FROM run WHERE id = ?1)  WHEN"
	" 'handler' THEN e.cycles - halted_cycles - userspace_cycles - preempted_cycles  ELSE"
	" e.cycles END AS cycles FROM exit e JOIN v ON v.id = e.vcpu), z AS (SELECT q.vm,"
	" q.vcpu_id, l.leaf, l.reason, q.key = l.leaf AND (l.leaf >= 0x4ffffffe OR  q.aux ="
	" l.reason) AS same, l.edx = 0xffffffff AS undefined,  CASE WHEN l.leaf IN (0x4fffffff,"
	" 0x4ffffffd) THEN l.ebx << 32 | l.eax  ELSE l.ebx << 32 | l.ecx END AS got,  (SELECT"
	" CASE WHEN l.leaf IN (0x4fffffff, 0x4ffffffd) THEN count(*)    ELSE"
	" coalesce(sum(e.cycles) FILTER (WHERE e.tsc < q.tsc), 0) END FROM e   WHERE e.vm ="
	" q.vm AND e.tsc <= q.tsc AND (l.leaf >= 0x4ffffffe OR e.reason = l.reason))  AS want,"
	" (SELECT sum(dropped + unread) FROM v w WHERE w.vm = q.vm) AS missing  FROM l LEFT"
	" JOIN q ON q.at = l.at) SELECT vm, vcpu_id, CASE WHEN leaf >= 0x4ffffffe THEN NULL"
	" ELSE reason END, got, want, CASE WHEN same IS NOT 1 THEN 1 WHEN undefined THEN got <>"
	" 0 OR want <> 0  WHEN missing > 0 AND got >= want THEN 0 ELSE got - want END,"
	" printf('leaf 0x%x, ', leaf) || CASE WHEN same IS NOT 1 THEN 'NO SUCH CPUID EXIT, '"
	" ELSE '' END || CASE WHEN undefined THEN 'not defined by the SDM, ' ELSE '' END || " PART(
		"(got <> want) * missing",
		"exits are missing in the recording") " FROM z WHERE"
						      " (SELECT has_raw FROM run WHERE id = ?1) = "
						      "1";

/* What the way of paging rules out. */
static const char shape_sql[] =
	"SELECT NULL, NULL, r.reason, sum(r.n), 0, sum(r.n), 'can not occur with ept=' || ept"
	" || ', ' FROM r, run WHERE run.id = ?1 AND ?2 = 1 AND ept IN ('N', '0') AND r.reason"
	" IN (48, 49) GROUP BY r.reason UNION ALL SELECT NULL, NULL, NULL, 0, 0, 0, 'no EPT"
	" exits with ept=' || ept || ', ' FROM run WHERE id = ?1 AND ?2 = 1 AND ept IN ('N',"
	" '0') AND NOT EXISTS (SELECT 1 FROM r WHERE reason IN (48, 49))";

const struct equation verify_equations[] = {
	{"records", "records in the file", "totals page", "the device", records_sql},
	{"reasons", "records by reason", "totals page", "the device", reasons_sql},
	{"cycles", "cycles of the records", "cycles of the totals", "the device, no loss",
	 cycles_sql},
	{"synthesized", "synthesized records", "totals page", "shadow paging", synthesized_sql},
	{"losses", "gaps in the sequence", "dropped by the ring", "the device", losses_sql},
	{"store", "records read", "roll-ups, histograms, rows", "a run", store_sql},
	{"tracefs", "real exits (totals)", "kvm_exit events", "--cross-check, tracefs",
	 tracefs_sql},
	{"match", "records of real exits", "matched with kvm_exit", "--cross-check, tracefs",
	 match_sql},
	{"open", "exits not re-entered", "kvm_exit without a record", "--cross-check, tracefs",
	 open_sql},
	{"time", "matched exits", "record >= traced interval", "--cross-check, tracefs", time_sql},
	{"entries", "kvm_entry events", "kvm_exit events + VMfail", "--cross-check, tracefs",
	 entries_sql},
	{"perf_exit", "perf counter kvm_exit", "kvm_exit events", "--cross-check, perf",
	 perf_exit_sql},
	{"perf_entry", "perf counter kvm_entry", "kvm_entry events", "--cross-check, perf",
	 perf_entry_sql},
	{"kvm_stat", "KVM statistic exits", "totals of the VM", "--cross-check, debugfs",
	 kvm_stat_sql},
	{"kvm_stat_run", "KVM statistic exits", "real + synthesized + VMfail",
	 "--cross-check, a VM seen from its start", kvm_stat_run_sql},
	{"cpu", "exits of the CPU", "real exits (totals)", "testbed/run --judge", equation_cpu},
	{"cpu_fields", "fields that the CPU knows", "equal to the CPU's", "testbed/run --judge",
	 equation_cpu_fields},
	{"leaf", "CPUID leaf in the guest", "records up to that read", "leaf readings, all rows",
	 leaf_sql},
	{"shape", "exits of the reason", "none", "ept=0", shape_sql},
};

const int verify_equation_count = sizeof(verify_equations) / sizeof(verify_equations[0]);

const char verify_delta_sql[] =
	"SELECT m.id, c.vcpu_id, k.reason, k.cycles, k.n FROM crosscheck k JOIN vcpu c ON c.id"
	" = k.vcpu JOIN vm m ON m.id = c.vm_id WHERE k.run_id = ?1 AND k.source = 'match_delta'"
	" ORDER BY m.id, c.id, k.reason, k.cycles";
