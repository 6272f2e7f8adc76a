"""What is kept and for how long: backups, the age of conversations, and one customer's data."""
