"""Who is talking, and the log of what happened."""
