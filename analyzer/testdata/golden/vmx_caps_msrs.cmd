vmx-caps --run 1 --msrs
