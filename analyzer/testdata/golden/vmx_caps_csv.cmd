vmx-caps --run 1 --cpu 2 --format csv
