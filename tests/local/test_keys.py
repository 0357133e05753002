"""The first run's `.env`."""

from pathlib import Path

from chatsite.local import keys


def test_is_written_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    assert keys.ensure(path, {})
    first = path.read_text()

    assert path.stat().st_mode & 0o777 == 0o600
    assert not keys.ensure(path, {})
    assert path.read_text() == first
    values = [line.split("=", 1)[1] for line in first.splitlines() if "_KEY=" in line[:20]]
    assert len({value for value in values if len(value) >= 32}) == len(keys.NAMES)


def test_leaves_to_the_environment_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    assert keys.ensure(path, {"SECRET_KEY": "given", "JWT_SECRET_KEY_FILE": "/run/secrets/jwt"})

    names = [line.split("=")[0] for line in path.read_text().splitlines()]
    assert "EMAIL_HASH_KEY" in names
    assert not {"SECRET_KEY", "JWT_SECRET_KEY"} & set(names)


def test_is_not_written_when_no_key_is_missing(tmp_path: Path) -> None:
    assert not keys.ensure(tmp_path / ".env", dict.fromkeys(keys.NAMES, "given"))
    assert not (tmp_path / ".env").exists()
