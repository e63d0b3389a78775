slowest --run 2 --limit 3 --sort handler --format csv --cycles
