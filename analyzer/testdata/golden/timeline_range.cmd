timeline --run 1 --from 0.6s --reason 12 --limit 3 --table timeline
