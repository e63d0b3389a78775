vmx-caps --run 1 --reasons --msrs
