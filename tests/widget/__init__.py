"""The widget's files as they are served, without a browser."""
