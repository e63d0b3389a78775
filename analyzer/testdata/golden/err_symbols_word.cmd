symbols
