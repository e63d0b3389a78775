sql "SELECT run, reason_name, exits, p50_ns, p99_ns FROM latency ORDER BY run, exits DESC"
