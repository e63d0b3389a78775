top-exit
