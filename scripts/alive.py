"""Exit status 0 if a URL answers without an error within 3 seconds: `alive.py URL`."""

import sys
import urllib.request


def main() -> None:
    """Ask; a traceback says why it is not."""
    urllib.request.urlopen(sys.argv[1], timeout=3).close()  # noqa: S310  (a health check's own URL)


if __name__ == "__main__":
    main()
