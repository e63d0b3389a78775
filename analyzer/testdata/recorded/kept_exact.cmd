latency --run kept --exact --to 11s
