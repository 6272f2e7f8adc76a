"""Ways to tell people that one of them is wanted."""
