top-exits --run kept --by subkey --limit 3
