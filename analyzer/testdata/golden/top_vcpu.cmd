top-exits --run 1 --by vcpu
