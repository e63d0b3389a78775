explain --run ept IO_INSTRUCTION
