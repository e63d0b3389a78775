top-exits --by colour
