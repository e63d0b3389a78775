top-exits --run 1 --vm 1 --vcpu 7
