UPDATE vcpu
SET recorded = ?2, dropped = ?3
WHERE id = ?1;
