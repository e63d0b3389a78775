latency --run svm --reason NPF,MSR
