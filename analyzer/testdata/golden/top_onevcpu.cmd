top-exits --run 1 --vm 1 --vcpu 1 --reason 48,hlt
