top-exits --run shadow --by pcpu --format csv
