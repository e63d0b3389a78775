DELETE FROM exit_rollup_coarse
WHERE vcpu IN (SELECT c.id FROM vcpu c JOIN vm m ON m.id = c.vm_id WHERE m.run_id = :run);
