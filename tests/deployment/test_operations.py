"""Dashboard, alerts and runbook speak of figures that exist, and of each other."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.registry import CollectorRegistry

from chatsite import gauges
from chatsite.core import exposition, queue
from tests.system.processes import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana" / "chatsite.json"
RUNBOOK = ROOT / "docs" / "operations.md"
_NAME = re.compile(r"\b(chatsite_[a-z_]+|process_[a-z_]+)\b")


def alerts() -> list[dict[str, Any]]:
    text = (PROMETHEUS / "alerts.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(GRAFANA.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


@pytest.fixture
def known(transactional_db: None) -> set[str]:
    """Every name that a process serves, histograms with their parts."""
    registry = CollectorRegistry()
    registry.register(gauges.Measured())
    registry.register(exposition._WebWorkers())
    return {*_names(REGISTRY), *_names(registry)}


def _names(registry: CollectorRegistry) -> Iterator[str]:
    for metric in registry.collect():
        ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        for end in ends.get(metric.type, [""]):
            yield f"{metric.name}{end}"


def test_asks_for_figures_that_exist(known: set[str]) -> None:
    asked = [rule["expr"] for rule in alerts()]
    asked += [target["expr"] for panel in panels() for target in panel["targets"]]

    unknown = {name for expr in asked for name in _NAME.findall(expr)} - known

    assert not unknown


def test_shows_or_watches_every_figure_of_ours(known: set[str]) -> None:
    asked = GRAFANA.read_text(encoding="utf-8") + (PROMETHEUS / "alerts.yml").read_text("utf-8")
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known}

    shown = {re.sub(r"_bucket$", "", name) for name in _NAME.findall(asked)}
    unused = {name for name in bases if name.startswith("chatsite_")} - shown

    assert unused <= {"chatsite_web_workers", "chatsite_web_resident_bytes"}


def test_draws_every_panel_somewhere_of_its_own() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        own = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not own & cells, panel["title"]
        cells |= own
        assert panel["targets"]
    numbers = [panel["id"] for panel in panels()]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_says_what_to_do_for_every_alert(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    for part in ("summary", "action"):
        assert len(rule["annotations"][part]) > 15
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_counts_beat_by_a_task_that_it_rings() -> None:
    [rule] = [rule for rule in alerts() if rule["alert"] == "ChatsiteBeatSilent"]
    assert set(re.findall(r'task="([^"]+)"', rule["expr"])) == {queue.EXPIRE_SESSIONS}


def test_explains_every_finding_by_its_id() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for room in ("chatsite", "chat_app", "sessions_app", "notifications")
        for path in (ROOT / room).rglob("*.py")
    )
    ids = set(re.findall(r'"(chatsite\.[EW]\d{3})"', code))

    assert len(ids) > 8
    assert [one for one in sorted(ids) if f"`{one}`" not in RUNBOOK.read_text("utf-8")] == []


@pytest.mark.skipif(
    not shutil.which("promtool"), reason="needs promtool: apt-get install prometheus"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "alerts.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_is_what_prometheus_takes(arguments: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [str(shutil.which("promtool")), *arguments],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_asks_at_the_ports_where_figures_are_served() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    first = int(compose["services"]["web-a"]["environment"]["METRICS_PORT"])
    for job in config["scrape_configs"]:
        role = job["job_name"].removeprefix("chatsite-")
        port = first + exposition.OFFSETS[role]
        targets = [one for group in job.get("static_configs", []) for one in group["targets"]]
        ports = [int(one.rpartition(":")[2]) for one in targets]
        ports += [one["port"] for one in job.get("dns_sd_configs", [])]
        assert set(ports) == {port}
        names = [one.rpartition(":")[0] for one in targets]
        names += [name for one in job.get("dns_sd_configs", []) for name in one["names"]]
        assert set(names) <= set(compose["services"])


def test_starts_by_systemd_what_compose_starts() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    units = {unit.stem: unit.read_text("utf-8") for unit in _units()}
    for unit, service in {
        "chatsite-web": "web-a",
        "chatsite-replies@": "replies",
        "chatsite-notifications": "notifications",
        "chatsite-beat": "beat",
        "chatsite-bot": "bot",
    }.items():
        [command] = re.findall(
            r"^ExecStart=/opt/chatsite/venv/bin/(.+)$", units[unit], re.MULTILINE
        )
        assert command == compose[service]["command"]
        grace = compose[service].get("stop_grace_period", "10s").removesuffix("s")
        assert f"TimeoutStopSec={grace}\n" in units[unit]
        # Each gets the secrets that its container gets, and no other.
        given = set(re.findall(r"^LoadCredential=(\w+):", units[unit], re.MULTILINE))
        assert given == set(compose[service]["secrets"])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_is_what_systemd_takes() -> None:
    ran = subprocess.run(
        ["systemd-analyze", "verify", *(str(unit).replace("@.", "@1.") for unit in _units())],
        env={"SYSTEMD_UNIT_PATH": f"{ROOT}/deploy/systemd:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in ran.stderr.splitlines() if "chatsite" in line]
    assert [line for line in said if "is not executable" not in line] == []


def _units() -> list[Path]:
    return sorted((ROOT / "deploy" / "systemd").glob("*.service"))
