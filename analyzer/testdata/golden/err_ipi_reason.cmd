ipi --reason HLT
