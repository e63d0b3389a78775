top-exits --run shadow --sort busy --format csv
