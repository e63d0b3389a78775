sql "SELECT percentile(ns, 101) FROM exits"
