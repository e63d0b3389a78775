explain --run 5 --format json
