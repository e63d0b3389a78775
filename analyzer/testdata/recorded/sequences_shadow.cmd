sequences --run shadow --table bursts --gap 50us
