compare ept shadow
