top-exits --reason ""
