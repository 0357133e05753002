"""The really running product: its processes, killed, frozen and reloaded."""
