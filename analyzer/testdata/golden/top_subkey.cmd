top-exits --run 1 --by subkey --limit 8
