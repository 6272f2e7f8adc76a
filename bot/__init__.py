"""The bot: the path of a question, its policy, its models, its store and its faces."""
