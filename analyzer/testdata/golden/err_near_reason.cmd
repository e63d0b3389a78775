top-exits --run ept --reason MSR_WRTE
