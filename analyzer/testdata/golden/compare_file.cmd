compare 1 "$DB:4" --format csv
