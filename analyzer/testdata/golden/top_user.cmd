top-exits --run 1 --by userspace-reason
