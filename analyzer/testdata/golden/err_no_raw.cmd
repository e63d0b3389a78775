top-exits --run phases --by subkey
