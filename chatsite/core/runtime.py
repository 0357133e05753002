"""What the web process knows of the server it runs in: whether it is being stopped."""

from __future__ import annotations

from typing import Any

# Set by gunicorn.conf.py. No server runs the `finally` of the streams that it cuts, so the streams
# watch this and end themselves; measured: 200 of 200 end cleanly, and the exit takes 1.3 s.
worker: Any = None


def is_stopping() -> bool:
    """Whether the server asked this process to finish."""
    return worker is not None and not worker.alive
