top-exits --run ept --vcpu 0-1 --vm 1,4712 --by vcpu --format csv
