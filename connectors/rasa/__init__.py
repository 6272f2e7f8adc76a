"""Rasa, both ways: actions of ours for Rasa's users, and Rasa's channels for their chat widgets."""
