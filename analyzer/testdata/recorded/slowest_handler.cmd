slowest --run shadow --sort handler --limit 10 --format json
