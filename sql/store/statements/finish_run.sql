UPDATE run
SET state = :state, tsc_end = :tsc_end, ended_ns = :ended_ns
WHERE id = :run;
