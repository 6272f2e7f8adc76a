"""Turning text into vectors: one protocol, three ways to do it."""
