slowest --run 1 --reason VMCALL
