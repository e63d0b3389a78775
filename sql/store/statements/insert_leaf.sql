INSERT INTO leaf_reading
SELECT
  :run,
  1 + (SELECT coalesce(max(seq), 0) FROM leaf_reading WHERE run_id = :run),
  :leaf,
  :reason,
  :eax,
  :ebx,
  :ecx,
  :edx;
