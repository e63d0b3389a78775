timeline --run phases
