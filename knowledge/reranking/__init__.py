"""Reading the question together with each of the best entries, where searching is unsure: one protocol."""
