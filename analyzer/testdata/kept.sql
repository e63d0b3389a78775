-- Run kept as collector --keep-raw leaves it: the rows of the last five seconds.
UPDATE run SET has_raw = 2 WHERE label = 'kept';
DELETE FROM exit WHERE vcpu IN (SELECT vcpu FROM coverage c JOIN run r ON r.id = c.run WHERE r.label = 'kept')
AND tsc < (SELECT tsc_end - 5000 * tsc_khz FROM run WHERE label = 'kept');
