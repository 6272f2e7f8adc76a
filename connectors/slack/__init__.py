"""Slack: direct messages, mentions, threads and a command; and agents in a channel of their own."""
