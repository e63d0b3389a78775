top-exits now
