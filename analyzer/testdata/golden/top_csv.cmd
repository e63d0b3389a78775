top-exits --run ept --format csv
