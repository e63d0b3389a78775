top-exits --run ept --by userspace-reason
