timeline --table chairs
