"""The staff console: the pages on which conversations are found, read, answered and counted."""
