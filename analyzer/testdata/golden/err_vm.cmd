top-exits --run 1 --vm 'nothing*'
