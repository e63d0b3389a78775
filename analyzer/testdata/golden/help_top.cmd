top-exits --help
