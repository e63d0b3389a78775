compare 1 svm
