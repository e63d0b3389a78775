latency --run phases --exact
