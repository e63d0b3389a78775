top-exits --run 1 --reason VMCALL
