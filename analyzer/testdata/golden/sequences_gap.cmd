sequences --run 1 --table bursts --gap 300us --vcpu 1
