histogram --run 1 --reason HLT --format csv
