"""The widget in a real Chromium against the really running system."""
