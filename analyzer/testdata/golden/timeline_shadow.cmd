timeline --run 2 --table reasons
