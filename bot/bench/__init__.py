"""Measuring chat models: how fast, how large, how clever, on this machine."""
