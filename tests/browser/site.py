"""A website on an origin of its own that uses the widget, made from the query of its address."""

from __future__ import annotations

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_PAGE = """<!doctype html><html lang="{lang}"{dir}><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>A website</title>
{before}{widget}</head>
<body><main><h1>A website</h1><p><a href="#more">More</a></p></main></body></html>"""


class Site:
    """Serves `/?data-name=…&lang=de&csp=…`; `api` in the query is where the widget comes from."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        """The origin that the API knows; the same pages at 127.0.0.1 are another."""
        return f"http://localhost:{self.port}"

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = dict(parse_qsl(asked.query, keep_blank_values=True))
        if asked.path == "/favicon.ico":
            self.send_error(404)
            return
        if asked.path == "/queue.js":
            body, kind = _QUEUE, "text/javascript"
        else:
            body, kind = _page(query), "text/html; charset=utf-8"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if "csp" in query:
            self.send_header("Content-Security-Policy", query["csp"])
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


# What a page may call before the widget is there.
_QUEUE = """
window.heard = [];
window.chatsite = window.chatsite || [];
chatsite.push(['on', 'message', (message) => heard.push(message.text)]);
chatsite.push(['open']);
"""


def _page(query: dict[str, str]) -> str:
    data = "".join(f' {k}="{html.escape(v)}"' for k, v in query.items() if k.startswith("data-"))
    copies = int(query.get("copies", "1"))
    sources = (f"{query['api']}/widget.js{'?again' if n else ''}" for n in range(copies))
    tags = "".join(f'<script type="module" src="{source}"{data}></script>' for source in sources)
    direction = f' dir="{query["dir"]}"' if "dir" in query else ""
    before = '<script src="/queue.js"></script>' if "queue" in query else ""
    return _PAGE.format(lang=query.get("lang", "en"), dir=direction, before=before, widget=tags)
