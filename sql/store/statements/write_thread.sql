INSERT INTO vcpu_thread
VALUES (:vcpu, :tid, :name)
ON CONFLICT DO UPDATE SET
  tid = excluded.tid,
  name = coalesce(excluded.name, name);
