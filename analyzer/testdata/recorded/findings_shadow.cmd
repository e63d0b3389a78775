findings --run shadow
