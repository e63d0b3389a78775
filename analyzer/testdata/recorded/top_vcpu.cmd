top-exits --run shadow --by vcpu --cycles
