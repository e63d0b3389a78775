latency --run ept
