top-exits --from soon
