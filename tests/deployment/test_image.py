"""The Dockerfile, by hadolint and by what this product promises of its image."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.system.processes import ROOT

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_, BUILD, FINAL = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)


def test_is_what_hadolint_would_write():
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run(
        [hadolint, "--failure-threshold", "style", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def test_installs_packages_by_hash_before_it_copies_the_code():
    assert "--require-hashes" in BUILD
    assert re.findall(r"^COPY (.*)$", BUILD, re.MULTILINE) == ["requirements.txt ."]


def test_leaves_the_tools_of_the_build_behind():
    assert "pip" not in FINAL
    assert "COPY --from=build /venv /venv" in FINAL
    assert "apt-get" not in TEXT


def test_is_nobody_and_pinned_and_without_secrets():
    assert re.search(r"^USER 10001$", FINAL, re.MULTILINE)
    assert not re.search(r"^USER (root|0)", TEXT, re.MULTILINE)
    bases = {BUILD.split()[0], FINAL.split()[0]}
    assert bases == {"python:3.11-slim-bookworm"}
    assert not re.search(r"^(ENV|ARG) .*(KEY|SECRET|TOKEN|PASSWORD)", TEXT, re.MULTILINE)


def test_lets_in_nothing_that_is_not_named():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert {"requirements.txt", "manage.py", "gunicorn.conf.py", "chatsite"} <= let_in
    assert not let_in & {".env", "secrets", "var", ".git", "tests"}
    assert all((ROOT / path).exists() for path in let_in)
