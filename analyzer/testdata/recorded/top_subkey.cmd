top-exits --run ept --by subkey --limit 15
