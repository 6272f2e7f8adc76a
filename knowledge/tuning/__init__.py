"""Fine-tuning an embedding model on the company's own FAQ (the extra `sentence-transformers`)."""
