compare ept shadow --reason 48,28 --format json
