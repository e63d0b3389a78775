-- What a recorded run must say, after any change of the programs.
-- Each reason: how often, and how many cycles in which part.
SELECT 'reason', reason_name, count(*), sum(cycles), sum(halted_cycles), sum(userspace_cycles),
       sum(preempted_cycles)
FROM exits GROUP BY 2 ORDER BY 3 DESC, 2;
-- The same from the roll-ups.
SELECT 'rollup', reason, sum(n), sum(cycles), min(min_cycles), max(max_cycles), sum(n_user),
       sum(n_fastpath)
FROM exit_rollup GROUP BY 2 ORDER BY 3 DESC, 2;
SELECT 'vcpu', vcpu_id, recorded, dropped, unread, open_exits, vmfail, ended FROM vcpu;
-- Reasons whose records differ from the totals page: none.
SELECT 'differs', t.reason, t.n, t.cycles, count(e.seq), sum(e.cycles)
FROM crosscheck t LEFT JOIN exit e ON e.vcpu = t.vcpu AND (e.reason & 0xffff) = t.reason
WHERE t.source = 'totals' GROUP BY t.reason HAVING count(e.seq) <> t.n OR sum(e.cycles) <> t.cycles;
-- The guest's own readings: all exits so far (leaf 4fffffff) and the cycles of
-- all exits before (leaf 4ffffffe).
SELECT 'leaf', printf('%x', key), printf('%x', seq + 1),
       printf('%x', (SELECT sum(cycles) FROM exit b WHERE b.vcpu = a.vcpu AND b.seq < a.seq))
FROM exit a WHERE reason IN (10, 0x72) AND key IN (0x4fffffff, 0x4ffffffe);
-- Parts add up, sequence numbers have no gap.
SELECT 'parts', count(*) FROM exit
WHERE cycles < halted_cycles + userspace_cycles + preempted_cycles;
SELECT 'gaps', max(seq) + 1 - count(*) FROM exit;
SELECT 'hottest', rip, count(*) FROM exits GROUP BY 2 ORDER BY 3 DESC, 2 LIMIT 5;
SELECT 'key', key_text, count(*) FROM exits WHERE key IS NOT NULL GROUP BY 2
ORDER BY 3 DESC, 2 LIMIT 20;
