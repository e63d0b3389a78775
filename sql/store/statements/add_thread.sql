-- What was known before, with a name, stays.
INSERT INTO vcpu_thread
VALUES (:vcpu, :tid, NULL)
ON CONFLICT DO NOTHING;
