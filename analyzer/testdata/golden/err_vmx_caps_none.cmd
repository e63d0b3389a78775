vmx-caps --run 3
