sequences --run 1 --table wakes --format csv
