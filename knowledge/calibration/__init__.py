"""How sure the search may be of what it finds, learnt from the knowledge base itself."""
