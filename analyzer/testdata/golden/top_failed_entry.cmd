top-exits --run shadow --reason 33
