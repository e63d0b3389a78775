-- KVM's own count of a VM's exits against the totals pages of all its vCPUs, both read at the end.
-- Where fastpaths enter again uncounted, those from before the recording are not known by number.
, statistic AS (
  SELECT
    v.vm,
    sum(k.n) FILTER (WHERE k.source = 'kvm_stat_vm' AND k.name = 'exits') AS n,
    sum(k.n) FILTER (WHERE k.source = 'kvm_stat_bound' AND k.name = 'at least') AS low,
    sum(k.n) FILTER (WHERE k.source = 'kvm_stat_bound' AND k.name = 'at most') AS high
  FROM crosscheck k
  JOIN vcpus v ON v.id = k.vcpu
  WHERE k.run_id = ?1
  GROUP BY v.vm
),
uncounted AS (
  SELECT
    vm,
    sum(n) AS n,
    (SELECT sum(v.unread) FROM vcpus v WHERE v.vm = reentered.vm) + (SELECT n FROM lost) AS more
  FROM reentered
  GROUP BY vm
),
counted AS (
  SELECT
    s.vm, s.n, s.low, s.high,
    coalesce(u.n, 0) AS again,
    CASE
      WHEN s.n + u.n < s.low THEN min(s.low - s.n - u.n, u.more)
      ELSE 0
    END AS unseen
  FROM statistic s
  LEFT JOIN uncounted u ON u.vm = s.vm
)
SELECT vm, NULL, NULL, n, low,
  CASE
    WHEN n + again + unseen < low THEN n + again + unseen - low
    WHEN n + again > high THEN n + again - high
    ELSE 0
  END,
  part(high - low, 'while it was read')
    || part(again, 'entered again by a fastpath, not counted')
    || part(unseen, 'the same, before the recording or where events were lost')
FROM counted
WHERE n IS NOT NULL
  AND low IS NOT NULL
