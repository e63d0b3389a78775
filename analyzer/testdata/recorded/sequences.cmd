sequences --run ept --limit 8
