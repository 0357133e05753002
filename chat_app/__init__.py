"""Messages and answers."""
