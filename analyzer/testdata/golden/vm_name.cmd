top-exits --run 1 --vm 'web-*' --limit 2
