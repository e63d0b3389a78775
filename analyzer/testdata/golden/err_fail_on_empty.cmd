compare ept shadow --fail-on rate=20%,
