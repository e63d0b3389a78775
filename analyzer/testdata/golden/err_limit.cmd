top-exits --limit -1
