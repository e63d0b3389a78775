timeline --run ept --limit 20
