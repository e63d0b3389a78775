sql "SELECT nothing FROM nowhere"
