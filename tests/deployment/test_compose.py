"""docker-compose.yml by the Compose specification, and by what this product promises of it."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest
from compose_spec import PyCompose

from chatsite import env
from tests.deployment.compose import NGINX, example_env, load
from tests.system.processes import ROOT

SERVICES: dict[str, Any] = load()["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "chatsite"]
LASTING = [name for name in SERVICES if name != "migrate"]


def test_is_what_the_compose_specification_allows():
    PyCompose.from_json(json.dumps(load())).validate()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"restrat": "always"}, "restrat"), ({"healthcheck": {"interval": "never"}}, "never")],
)
def test_would_be_refused_when_it_were_not(wrong, why):
    found = load()
    found["services"]["beat"].update(wrong)

    with pytest.raises(ValueError, match=why):
        PyCompose.from_json(json.dumps(found)).validate()


def test_has_every_process_and_as_many_as_production_needs():
    commands = [SERVICES[name]["command"] for name in OURS]

    assert sum("gunicorn" in command for command in commands) == 2
    assert SERVICES["replies"]["deploy"]["replicas"] == 2
    for part in ("-Q notifications", " beat -s", "discord_bot", " migrate "):
        assert sum(part in command for command in commands) == 1
    assert {"proxy", "postgres", "valkey"} < set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_confines_every_container(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    if name not in OURS:  # ours say it in the Dockerfile
        assert service["user"] not in {"0", "root"}
        assert re.search(r":\d", service["image"])


@pytest.mark.parametrize("name", [name for name in LASTING if name not in {"beat", "bot"}])
def test_asks_every_server_for_its_health(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_publishes_nothing_but_the_proxy():
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["proxy"]
    networks = load()["networks"]
    assert networks["back"]["internal"]
    assert networks["front"]["internal"]
    for name in ("postgres", "valkey"):
        assert SERVICES[name]["networks"] == ["back"]
    for name in ("web-a", "web-b", "beat"):
        assert "out" not in SERVICES[name]["networks"]


def test_keeps_secrets_in_files_only():
    declared = load()["secrets"]
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if value.startswith("/run/secrets/"):
                secret = value.removeprefix("/run/secrets/")
                assert key.endswith("_FILE")
                assert secret in service["secrets"], (name, secret)
                assert declared[secret] == {"file": f"./secrets/{secret}"}
            assert not re.search(r"(SECRET|PASSWORD|TOKEN|KEY)$", key), (name, key)
    assert not re.search(r"(SECRET|PASSWORD|TOKEN|KEY)=.", _example())


def test_hands_every_secret_over_in_a_file():
    secret = {f"{one.name}_FILE" for one in env.DECLARED.values() if one.kind == "secret"}
    given = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert secret <= given


def test_names_settings_that_exist():
    known = {*env.DECLARED, *(f"{name}_FILE" for name in env.DECLARED)}
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= known
    assert set(re.findall(r"^#? ?([A-Z_]+)=", _example(), re.MULTILINE)) <= known
    assert example_env()["ALLOWED_HOSTS"] == "chat.example.com"


def test_gives_the_models_keys_to_nobody_but_those_who_ask_models():
    holders = {name for name in OURS if "google_api_key" in SERVICES[name]["secrets"]}
    assert holders == {"replies"}


def test_starts_nothing_before_its_stores_and_its_tables():
    for name in OURS:
        wanted = SERVICES[name]["depends_on"]
        assert wanted["postgres"] == wanted["valkey"] == {"condition": "service_healthy"}
        if name != "migrate":
            assert wanted["migrate"] == {"condition": "service_completed_successfully"}


def test_keeps_what_the_broker_holds():
    command = SERVICES["valkey"]["command"]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert SERVICES["valkey"]["volumes"] == ["valkey:/data"]


def test_lets_a_web_drain_before_it_is_killed():
    graceful = _constant("graceful_timeout")
    for name in ("web-a", "web-b"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > graceful


def test_trusts_the_proxy_and_nobody_else():
    for name in ("web-a", "web-b"):
        trusted = SERVICES[name]["environment"]["TRUSTED_PROXIES"]
        assert trusted == SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
        address = SERVICES[name]["networks"]["front"]["ipv4_address"]
        assert f"server {address}:8000" in (NGINX / "upstream.conf").read_text()


@pytest.mark.parametrize(
    "line",
    [
        "client_header_timeout 10s;",
        "client_body_timeout 10s;",
        "client_max_body_size 64k;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Request-ID $chat_request_id;",
        "proxy_next_upstream error timeout;",
    ],
)
def test_bounds_what_strangers_send(line):
    assert f"    {line}\n" in (NGINX / "nginx.conf").read_text()


def _example() -> str:
    return (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")


def _constant(name: str) -> int:
    tree = ast.parse((ROOT / "gunicorn.conf.py").read_text(encoding="utf-8"))
    [found] = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    return int(found)
