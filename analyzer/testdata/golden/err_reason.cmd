top-exits --reason NOSUCH
