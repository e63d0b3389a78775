timeline --run 4 --table phases --format json
