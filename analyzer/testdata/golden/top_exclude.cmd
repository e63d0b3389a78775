top-exits --run ept --reason '!HLT,!48' --columns exits,p50,p99
