compare ept shadow --fail-on rate=x
