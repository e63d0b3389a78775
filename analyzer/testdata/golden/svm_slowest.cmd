slowest --run svm --limit 3
