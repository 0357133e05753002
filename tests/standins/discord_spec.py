"""Discord's published API description as a judge of requests and answers.

The file is no part of the project: DISCORD_OPENAPI, or `../shared/discord/openapi.json`."""

from __future__ import annotations

import functools
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator

PATH = Path(
    os.environ.get("DISCORD_OPENAPI")
    or Path(__file__).resolve().parents[3] / "shared" / "discord" / "openapi.json"
)
MISSING = f"Discord's API description is not at {PATH}; set DISCORD_OPENAPI"

# What discord.py sends although the file does not have it.
_TOLERATED = {"tts", "message_reference"}
_SNOWFLAKE = re.compile(r"[1-9][0-9]{0,19}")
_BASE = re.compile(r"^/api/v\d+")


def is_there() -> bool:
    """Whether there is a description to judge by."""
    return PATH.is_file()


@functools.cache
def shared() -> Spec:
    """One judge a process: reading the description and its schemas takes a second."""
    return Spec()


class Spec:
    """Judges; every method answers with sentences, none where all is well."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "([^/]+)", path)), path, item)
            for path, item in sorted(self._root["paths"].items(), key=lambda one: "{" in one[0])
        ]

    def request(self, method: str, path: str, query: dict[str, str], body: Any) -> list[str]:
        """What is wrong with a request; `path` without the version, `body` as parsed JSON."""
        operation, names = self._operation(method, path)
        if operation is None:
            return [f"{method} {path}: no such operation"]
        found = [f"{path}: {why}" for why in self._bad_ids(names)]
        found += [f"{path}: {why}" for why in self._bad_query(operation, query)]
        schema = self._schema(operation.get("requestBody", {}))
        if body is not None and schema is None:
            found.append(f"{path}: a body where none is taken")
        if body is not None and schema is not None:
            found += [f"{method} {path}: {why}" for why in self._bad_body(schema, body)]
        return found + [f"{method} {path}: {why}" for why in unwritten(path, body)]

    def answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer of a stand-in."""
        operation, _ = self._operation(method, path)
        if operation is None or status == 204:
            return []
        responses = operation["responses"]
        response = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        if response is None:
            return [] if status >= 500 else [f"{method} {path}: no answer {status}"]
        schema = self._schema(self._resolve(response))
        if schema is None:
            return []
        return [f"answer to {method} {path}: {why}" for why in self._errors(schema, body)]

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any] | None, dict[str, str]]:
        path = _BASE.sub("", path)
        for pattern, template, item in self._paths:
            if (found := pattern.fullmatch(path)) and method.lower() in item:
                names = re.findall(r"\{([^}]+)\}", template)
                return item[method.lower()], dict(zip(names, found.groups(), strict=True))
        return None, {}

    def _bad_ids(self, names: dict[str, str]) -> list[str]:
        return [
            f"{name}={value} is no snowflake"
            for name, value in names.items()
            if name.endswith("_id") and not _SNOWFLAKE.fullmatch(value)
        ]

    def _bad_query(self, operation: dict[str, Any], query: dict[str, str]) -> list[str]:
        known = {one["name"]: one["schema"] for one in operation.get("parameters", [])}
        found = [f"query {name} is not known" for name in query if name not in known]
        for name, raw in query.items():
            if name in known:
                schema = self._resolve(known[name])
                found += self._errors(schema, _typed(raw, schema.get("type")))
        return found

    def _bad_body(self, schema: dict[str, Any], body: Any) -> list[str]:
        found = self._errors(schema, body)
        if isinstance(body, dict):
            known = self._properties(schema)
            found += [f"{key} is not known" for key in body if key not in known | _TOLERATED]
        return found

    def _errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        validator = _validator(self, json.dumps(schema, sort_keys=True))
        return [
            f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)
        ]

    def _properties(self, schema: dict[str, Any]) -> set[str]:
        schema = self._resolve(schema)
        found = set(schema.get("properties", {}))
        for kind in ("allOf", "anyOf", "oneOf"):
            for one in schema.get(kind, []):
                found |= self._properties(one)
        return found

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            node: Any = self._root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    def _schema(self, holder: dict[str, Any]) -> dict[str, Any] | None:
        content = holder.get("content", {})
        return content.get("application/json", {}).get("schema")


def _typed(raw: str, kind: Any) -> Any:
    """A value of a query as the type that is asked for; Discord takes 1 and 0 as booleans."""
    kinds = {kind} if isinstance(kind, str) else set(kind or ())
    if "boolean" in kinds:
        return {"1": True, "true": True, "0": False, "false": False}.get(raw.lower(), raw)
    return int(raw) if "integer" in kinds else raw


def unwritten(path: str, body: Any) -> list[str]:
    """Rules that Discord keeps and its description lacks."""
    found: list[str] = []
    if isinstance(body, list):
        for command in body:
            found += _command(command)
    if not isinstance(body, dict):
        return found
    data = body.get("data") if isinstance(body.get("data"), dict) else body
    if len(data.get("content") or "") > 2000:
        found.append("more than 2,000 characters of content")
    size = sum(_embed_size(embed) for embed in data.get("embeds") or [])
    if size > 6000:
        found.append(f"{size} characters of embeds")
    if path.endswith("/messages") and not (data.get("content") or data.get("embeds")):
        found.append("an empty message")
    if _speaks(path, body) and data.get("allowed_mentions", {}).get("parse") != []:
        found.append("may ping: allowed_mentions is not none")
    return found


def _speaks(path: str, body: dict[str, Any]) -> bool:
    if body.get("type") in {4, 7}:  # an interaction's answer with a message
        return True
    return path.endswith("/messages") or "/webhooks/" in path


def _embed_size(embed: dict[str, Any]) -> int:
    texts = [embed.get("title"), embed.get("description"), embed.get("footer", {}).get("text")]
    texts += [embed.get("author", {}).get("name")]
    texts += [field[key] for field in embed.get("fields", []) for key in ("name", "value")]
    return sum(len(text.encode("utf-16-le")) // 2 for text in texts if text)


def _command(command: dict[str, Any]) -> list[str]:
    found = []
    # Commands of the message menu (type 3) have no description.
    if command.get("type", 1) == 1 and not 1 <= len(command.get("description", "")) <= 100:
        found.append(f"description of {command['name']}")
    if command.get("type", 1) == 1 and command["name"] != command["name"].lower():
        found.append(f"{command['name']} is not lower case")
    for option in command.get("options", []):
        found += _command({"type": 1, **{k: v for k, v in option.items() if k != "type"}})
    return found


@functools.lru_cache(maxsize=256)
def _validator(spec: Spec, schema: str) -> jsonschema.protocols.Validator:
    whole = {**json.loads(schema), "components": spec._root["components"]}
    return Draft202012Validator(whole)
