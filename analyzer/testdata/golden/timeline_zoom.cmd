timeline --run ept --from 601ms --to 603ms --limit 4 --table timeline --format json
