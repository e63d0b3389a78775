latency --run 1 --by vm
