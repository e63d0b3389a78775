top-exits --run ept --reason '!HLT,48'
