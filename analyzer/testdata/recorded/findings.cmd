findings --run ept
