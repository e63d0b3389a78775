findings --run 4 --format csv
