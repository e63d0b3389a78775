vmx-caps --run 1 --msrs --cpu 0
