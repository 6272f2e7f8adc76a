"""Channels by which customers reach the bot."""
