compare ept shadow --fail-on rate=+20%,p99=10%,new
