histogram --run ept --reason EPT_VIOLATION --to 5s
