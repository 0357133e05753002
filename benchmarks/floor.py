"""The floor: litellm called from one bare asyncio loop; no web, no queue, no database.

A process of its own that takes one JSON object a line (`Load`) and says one (`Figures`)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_MODE"] = "PRODUCTION"

import litellm

litellm.suppress_debug_info = True


async def load(
    *,
    base: str,
    model: str,
    visitors: int,
    seconds: float,
    think: float,
    stream: bool,
    within: float | None = None,
) -> dict[str, Any]:
    """What so many callers see who ask, think and ask again, as visitors.converse() has them."""
    ends = time.perf_counter() + seconds
    found: list[tuple[float, float]] = []
    options = {
        "model": f"openai/{model}",
        "api_base": base,
        "api_key": "none",
        "messages": [
            {"role": "system", "content": "You answer questions of a shop's visitors. " * 8},
            {"role": "user", "content": "Do you ship to Norway, and what does it cost?"},
        ],
        "temperature": 0.7,
        "max_tokens": 500,
        "num_retries": 0,
        "max_retries": 0,
    }

    async def caller(number: int) -> None:
        await asyncio.sleep((within or think) * number / visitors)
        while time.perf_counter() < ends:
            found.append(await (_streamed if stream else _whole)(options))
            await asyncio.sleep(think)

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(visitors)))
    took = time.perf_counter() - began
    return {
        "first": [first for first, _ in found],
        "last": [last for _, last in found],
        "seconds": took,
        "cpu_ms": (time.process_time() - cpu) * 1000 / max(1, len(found)),
    }


async def _whole(options: dict[str, Any]) -> tuple[float, float]:
    began = time.perf_counter()
    await litellm.acompletion(**options)
    took = time.perf_counter() - began
    return took, took


async def _streamed(options: dict[str, Any]) -> tuple[float, float]:
    began, first = time.perf_counter(), 0.0
    more = {"stream": True, "stream_options": {"include_usage": True}}
    stream: Any = await litellm.acompletion(**options, **more)
    async for chunk in stream:
        if not first and chunk.choices and chunk.choices[0].delta.content:
            first = time.perf_counter() - began
    return first, time.perf_counter() - began


async def _main() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await load(**json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
