-- What was known before, with a name, stays.
INSERT INTO vcpu_thread
VALUES (:vcpu, :tid, :name)
ON CONFLICT DO NOTHING;
