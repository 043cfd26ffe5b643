"""`make run`: the whole product on this machine, from an empty folder to a page that answers, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import django
from django.core.management import call_command

from config import embedded

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
HOST = os.environ.get("HOST") or "127.0.0.1"
START_SECONDS = 120

WELCOME = """
  Courtois répond sur  http://localhost:{port}/

    agent, agent2     appellent           mot de passe : demo
    supervisor        aide et corrige     mot de passe : demo
    manager           prépare             mot de passe : demo

  API : http://localhost:{port}/api/v1/docs/     Ctrl-C arrête tout, les données restent.
"""


def main() -> int:
    """Start everything, wait for its end, and leave running only the servers that ran before. Returns the exit code."""
    port = int(os.environ.get("PORT") or "8000")
    if _is_taken(port):
        print(f"Port {port} is taken: choose another one with PORT=8001 make run.", file=sys.stderr)
        return 1
    were_running = embedded.is_running(VAR)
    # From here on an interruption must reach the end of this function, where the servers are stopped.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _prepare()
        return _serve(port)
    except KeyboardInterrupt:
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if not were_running:
            embedded.stop(VAR)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _prepare() -> None:
    """Bring the database up to date, and fill it with the demo when nobody can log in yet."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Here the product is used, not written: `manage.py runserver` serves the sources as they are edited.
    os.environ.setdefault("STATIC_COLLECTED", "1")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connection

    if not get_user_model().objects.exists():
        call_command("demo")
    connection.close()
    if settings.STATIC_COLLECTED:
        call_command("collectstatic", interactive=False, verbosity=0)


def _serve(port: int) -> int:
    """Run the Procfile until it ends or is interrupted; say where the product answers as soon as it does."""
    environment = os.environ | {
        "HOST": HOST,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "honcho", "start", "--port", str(port)]
    # In a session of its own, so that Ctrl-C reaches it once, through us.
    processes = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        if _answers(port, processes):
            print(WELCOME.format(port=port), flush=True)
        return processes.wait()
    except KeyboardInterrupt:
        processes.send_signal(signal.SIGTERM)
        processes.wait()
        return 0


def _answers(port: int, processes: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while processes.poll() is None and time.monotonic() < deadline:
        with (
            suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=2) as response,
        ):
            return bool(response.status == 200)
        time.sleep(0.2)
    return False


if __name__ == "__main__":
    sys.exit(main())
