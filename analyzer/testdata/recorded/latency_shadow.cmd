latency --run shadow --handler --format csv
