vmx-caps --run 1 --cpu 3
