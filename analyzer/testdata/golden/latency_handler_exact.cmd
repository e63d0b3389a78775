latency --run 1 --handler --exact
