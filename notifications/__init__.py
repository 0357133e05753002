"""Discord and mail: what is owed to the world outside for what happened inside."""
