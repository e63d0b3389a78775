runs
