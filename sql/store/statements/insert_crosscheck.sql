INSERT INTO crosscheck
VALUES (:run, :vcpu, :source, :name, :reason, :n, :cycles);
