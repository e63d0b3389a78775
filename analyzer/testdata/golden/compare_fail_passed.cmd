compare shadow shadow --fail-on rate=20%,p50=10% --format json --reason 12,32
