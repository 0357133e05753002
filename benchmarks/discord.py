"""The case of Discord away: the product mirrors, nobody takes it, and nobody waits longer."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from benchmarks import stack
from benchmarks.bench import Bench, case, ms
from benchmarks.cases import THINK, WAITED, WHOLE
from benchmarks.visitors import arrive, converse, leave

_VISITORS = 50


@case("discord")
async def discord_down(bench: Bench) -> None:
    """The same load without Discord, and with a Discord that refuses every connection."""
    medians = []
    with tempfile.TemporaryDirectory() as folder, socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        away = {
            "DISCORD_ENABLED": "on",
            "DISCORD_BOT_TOKEN": "bench." + "x" * 50,
            "DISCORD_CHANNEL_ID": "123456789012345678",
            "DISCORD_API_BASE": f"http://127.0.0.1:{refusing.getsockname()[1]}/api/v10",
        }
        with (
            stack.database(bench.kind, Path(folder)) as url,
            stack.running(Path(folder), url, **away) as mirrored,
        ):
            for name, running in (("without it", bench.stack), ("it is down", mirrored)):
                visitors = await arrive(running.url, _VISITORS)
                load = {"model": WHOLE, "think": THINK, "stream": False}
                await converse(visitors, seconds=0.1, **load)
                waits = await converse(visitors, seconds=bench.seconds, **load)
                leave(visitors)
                medians.append(ms(waits.last, 0.5))
                bench.say(f"{name}: added, p50", ms(waits.last, 0.5, WAITED), "ms")
                bench.say(f"{name}: added, p95", ms(waits.last, 0.95, WAITED), "ms")
                bench.say(f"{name}: not answered", waits.failed, "messages", must=0)
    bench.say("latency, down to without", medians[1] / medians[0], "times", must=1.1)
