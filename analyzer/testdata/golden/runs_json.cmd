runs --format json
