top-exits --run svm --by subkey --format csv
