symbols --run ept analyzer/testdata/nosuch.map
