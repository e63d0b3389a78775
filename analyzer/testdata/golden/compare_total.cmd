compare shadow ept --total --limit 4 --sort time
