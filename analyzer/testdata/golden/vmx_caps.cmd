vmx-caps --run 1
