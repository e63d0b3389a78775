compare 1 nosuch.sqlite
