top-exits --run 1 --vcpu 7
