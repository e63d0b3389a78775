histogram --run 1 --reason 48
