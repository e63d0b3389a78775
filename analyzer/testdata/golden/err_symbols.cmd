symbols --run 1 analyzer/testdata/fixture.sql
