latency --run 1
