symbols --run 1 analyzer/testdata/System.map --slide x
