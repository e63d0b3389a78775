vmx-caps --run 2 --reasons --format json
