timeline --run ept --reason IO_INSTRUCTION --table timeline --limit 15 --format csv
