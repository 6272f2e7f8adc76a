"""Platforms as they behave, well and badly, each a small server on loopback."""
