"""What the bot knows: entries, their import, their index, and the search."""
