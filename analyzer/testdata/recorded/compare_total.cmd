compare ept shadow --total --format csv
