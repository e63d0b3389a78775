timeline --run shadow --table reasons
