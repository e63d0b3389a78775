compare ept ept --fail-on rate=10%,p50=10%
