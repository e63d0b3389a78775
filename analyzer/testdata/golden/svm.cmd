top-exits --run svm
