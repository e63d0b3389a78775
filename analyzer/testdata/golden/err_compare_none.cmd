compare 1 2 --reason VMCALL
