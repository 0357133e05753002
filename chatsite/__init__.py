"""Chatsite: a self-hosted, secure chat API for websites."""

__version__ = "0.1.0"
