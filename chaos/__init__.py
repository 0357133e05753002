"""Chaos: the real processes, broken on purpose, and a ledger of what they had promised."""
