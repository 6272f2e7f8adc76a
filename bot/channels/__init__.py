"""Between the connectors and the desk."""
