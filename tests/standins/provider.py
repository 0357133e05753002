"""An OpenAI-compatible provider on loopback whose model's name says how it behaves.

`python -m tests.standins.provider PORT`, or `Provider` inside a test. Models, parts joined by `-`:
`echo` (says the question back), `words20` (20 words), `wait1.9` (seconds before the first byte),
`gap0.02` (seconds between words), `error500`, `hang`, `cut3` (drops the connection after 3 words),
`reset` (the connection, once it was asked), `garbage`, `mojibake` (bytes that are no UTF-8),
`empty`, `html`, `huge`, `flood` (10 MB), `fails3` (tells of an error after 3 words), `noise3`
(sends half an event), `pause3` (falls silent after 3 words), `drip5` (a byte every 5 seconds),
`nodone` (ends a stream without saying so), `held3` (waits after 3 words until `release` is told the
question), `asked` (as the question says, if it begins with such a name in brackets:
`[words20-gap0.1] Hello`), `says5` (the text `says`, five characters at a time), `prompt5` (the
system prompt, so), `redirect307` (to `elsewhere`).

It reads the visitors' words without the marks that they stand between, as a model does; `sent` has
the body as it came.

`GET /ledger` has, for every question, how often it was asked and how often its caller hung up;
`GET /release?question` lets a held answer go on."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import sys
from collections import Counter
from typing import Any
from urllib.parse import unquote_plus

_PART = re.compile(r"([a-z]+)([0-9.]*)")
_ASKED = re.compile(r"\[([a-z0-9.-]+)\]")
_MARKS = re.compile(r"\A(⟦\w+⟧)\n(.*)\n\1\Z", re.DOTALL)
_FOREVER = 3600.0
_FAILED = {"message": "scripted", "type": "server_error", "code": 500}
_JSON = "application/json"
_RAW = {
    "html": ("text/html", b"<html>maintenance</html>"),
    "garbage": (_JSON, b'{"choices": [{"mess\xff'),
    "mojibake": (
        _JSON,
        b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "\xff\xfe"}}]}',
    ),
}


class Provider:
    """The server; `asked` has the body and headers of each request, newest last."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.says = ""
        self.elsewhere = ""
        self.times: Counter[str] = Counter()
        self.hung_up: Counter[str] = Counter()
        self._held: dict[str, asyncio.Event] = {}
        self.request_ids: dict[str, str] = {}
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[Any]] = set()

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=1024)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Stop listening, and leave whoever still waits for an answer."""
        if self._server:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def release(self, question: str) -> None:
        """Let the answer to this question, which is `held`, go on; call it on the server's loop."""
        self._hold(question).set()

    def _hold(self, question: str) -> asyncio.Event:
        return self._held.setdefault(question, asyncio.Event())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while request := await _request(reader):
                if request["body"] is None:
                    self.release(unquote_plus(request["path"].split()[1].partition("?")[2]))
                    _send(writer, 200, self._ledger())
                else:
                    await self._answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()

    def _ledger(self) -> dict[str, Any]:
        """By question: how often it was asked, how often left, and its last request's id."""
        return {"asked": self.times, "hung_up": self.hung_up, "request_ids": self.request_ids}

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.asked.append(request)
        del self.asked[:-1000]
        body = request["body"]
        question = body["messages"][-1]["content"]
        parts = _parts(body["model"], question)
        self.times[question] += 1
        self.request_ids[question] = request["headers"].get("x-request-id", "")
        if "reset" in parts:
            _reset(writer)
        if "hang" in parts:
            await asyncio.sleep(_FOREVER)
        await asyncio.sleep(float(parts.get("wait") or 0))
        raw = next((_RAW[part] for part in parts if part in _RAW), None)
        if "error" in parts:
            _send(writer, int(parts["error"]), {"error": {"message": "scripted", "type": "x"}})
        elif "redirect" in parts:
            _redirect(writer, int(parts["redirect"]), self.elsewhere)
        elif raw:
            _send_raw(writer, 200, *raw)
        elif "drip" in parts:
            await self._drip(float(parts["drip"]), question, writer)
        elif body.get("stream"):
            await self._stream(body, parts, question, writer)
        else:
            await self._whole(body, parts, question, writer)
        await writer.drain()

    async def _whole(
        self,
        body: dict[str, Any],
        parts: dict[str, str],
        question: str,
        writer: asyncio.StreamWriter,
    ) -> None:
        words = self._words(parts, body)
        await asyncio.sleep(float(parts.get("gap") or 0) * len(words))
        if "cut" in parts:
            raise ConnectionResetError
        if "pause" in parts:
            await asyncio.sleep(_FOREVER)
        _send(writer, 200, _completion(body["model"], "".join(words)))

    async def _stream(
        self,
        body: dict[str, Any],
        parts: dict[str, str],
        question: str,
        writer: asyncio.StreamWriter,
    ) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        words, gap = self._words(parts, body), float(parts.get("gap") or 0)
        for number, word in enumerate(words):
            if parts.get("cut") == str(number):
                raise ConnectionResetError
            if parts.get("pause") == str(number):
                await asyncio.sleep(_FOREVER)
            if parts.get("fails") == str(number):
                _event(writer, json.dumps({"error": _FAILED}))
            if parts.get("noise") == str(number):
                _event(writer, '{"id": "c", "cho')
            if parts.get("held") == str(number):
                await self._hold(question).wait()
            _chunk(writer, _delta(body["model"], {"role": "assistant", "content": word}, None))
            if gap:
                await self._pause(gap, question, writer)
        if "nodone" in parts:
            writer.write(b"0\r\n\r\n")
            return
        end = _delta(body["model"], {}, "stop")
        _chunk(writer, end)
        _chunk(writer, {**end, "choices": [], "usage": _usage(len(words))})
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    async def _drip(self, gap: float, question: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        for byte in b"Content-Length: 100000\r\n\r\n" + b" " * 100_000:
            writer.write(bytes([byte]))
            await self._pause(gap, question, writer)

    def _words(self, parts: dict[str, str], body: dict[str, Any]) -> list[str]:
        for name, text in (("says", self.says), ("prompt", body["messages"][0]["content"])):
            if size := int(parts.get(name) or 0):
                return [text[at : at + size] for at in range(0, len(text), size)]
        return _words(parts, body["messages"][-1]["content"])

    async def _pause(self, gap: float, question: str, writer: asyncio.StreamWriter) -> None:
        try:
            await writer.drain()
        except ConnectionError:
            self.hung_up[question] += 1
            raise
        await asyncio.sleep(gap)


def _parts(model: str, question: str) -> dict[str, str]:
    if model == "asked":
        named = _ASKED.match(question)
        model = named.group(1) if named else "echo"
    return dict(_PART.fullmatch(part).groups() for part in model.split("-"))  # type: ignore[union-attr,misc]


def _words(parts: dict[str, str], question: str) -> list[str]:
    if "empty" in parts:
        return [""]
    if "huge" in parts:
        return ["word " * 1000] * 400
    if "flood" in parts:
        return ["word " * 1000] * 2100
    if "words" in parts:
        return [f"word{number} " for number in range(int(parts["words"]))]
    return re.findall(r"\S+\s*|\s+", f"You said: {question}")


def _usage(words: int) -> dict[str, int]:
    return {"prompt_tokens": 11, "completion_tokens": words, "total_tokens": 11 + words}


def _completion(model: str, text: str) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": _usage(len(text.split())),
    }


def _delta(model: str, delta: dict[str, str], finish: str | None) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _chunk(writer: asyncio.StreamWriter, data: dict[str, Any]) -> None:
    try:  # as it is said, as providers do, and not in escapes
        _event(writer, json.dumps(data, ensure_ascii=False))
    except UnicodeEncodeError:  # half of a character
        _event(writer, json.dumps(data))


def _event(writer: asyncio.StreamWriter, data: str) -> None:
    line = f"data: {data}\n\n".encode()
    writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")


def _send(writer: asyncio.StreamWriter, status: int, data: dict[str, Any]) -> None:
    _send_raw(writer, status, "application/json", json.dumps(data).encode())


def _reset(writer: asyncio.StreamWriter) -> None:
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    raise ConnectionResetError


def _redirect(writer: asyncio.StreamWriter, status: int, where: str) -> None:
    head = f"HTTP/1.1 {status} X\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n"
    writer.write(head.encode())


def _send_raw(writer: asyncio.StreamWriter, status: int, kind: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


async def _request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    found = {"path": lines[0], "headers": headers, "sent": body.decode()}
    return {**found, "body": _unmarked(json.loads(body)) if body else None}


def _unmarked(body: dict[str, Any]) -> dict[str, Any]:
    for turn in body["messages"]:
        turn["content"] = _MARKS.sub(r"\2", turn["content"])
    return body


async def _main(port: int) -> None:
    provider = Provider()
    print(await provider.start(port), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
