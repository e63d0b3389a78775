latency --run 2 --format csv --cycles
