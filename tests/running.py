"""The product as `make run` starts it, from a copy of its sources, without any data."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import embedded

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("calls", "campaigns", "config", "crm", "locale", "static", "templates", "manage.py", "Procfile")
# What a person at a desk has set: nothing.
BARE = {"DATABASE_URL": "", "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "config.settings"}


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the product's sources, without any data; its servers stop in the end."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="run-") as name:
        copy = Path(name) / "checkout"
        copy.mkdir()
        for source in SOURCES:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, copy / source, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, copy / source)
        (copy / "node_modules").symlink_to(ROOT / "node_modules")
        yield copy
        embedded.stop(copy / "var")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(checkout: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """What `make run` runs, until it has said where it answers."""
    environment = os.environ | BARE | {"PORT": str(port), "WEB_CONCURRENCY": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "config.run"],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        seen: list[str] = []
        for line in process.stdout:
            seen.append(line)
            if "Ctrl-C" in line:
                break
        assert f"http://localhost:{port}/" in "".join(seen), "".join(seen)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
