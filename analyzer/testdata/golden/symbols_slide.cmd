symbols --run 1 analyzer/testdata/System.map --slide 0x2000000 --limit 3 --format csv
