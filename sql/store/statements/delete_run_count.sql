DELETE FROM crosscheck
WHERE run_id = :run
  AND vcpu IS NULL
  AND source = :source
  AND name = :name;
