"""Answers that a program gives: actions as rasa-sdk runs them, here or on an action server."""
