top-exits --frobnicate
