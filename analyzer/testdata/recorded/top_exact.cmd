top-exits --run ept --exact --format csv
