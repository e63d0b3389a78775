top-exits --sort tmie
