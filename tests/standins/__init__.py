"""Stand-ins for what lies beyond the wire; each keeps to its published schema."""
