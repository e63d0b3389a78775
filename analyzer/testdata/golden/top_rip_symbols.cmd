top-exits --run 1 --by rip --symbols analyzer/testdata/System.map --slide 0x2000000 --limit 4
