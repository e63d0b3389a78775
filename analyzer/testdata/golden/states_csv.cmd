states --run 1 --by vcpu --sort halted --format csv
