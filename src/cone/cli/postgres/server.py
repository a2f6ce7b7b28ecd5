"""The supervisor of one embedded Postgres: one owner, unix socket only, safe to kill at any moment.

Usable by the `cone` command and by tests alike. Start it from a thread that stays (the main one): on
Linux the server is told to stop when the thread that started it ends.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from cone.cli.parentage import die_with_parent
from cone.cli.postgres.account import Account, hand_over, list_accounts
from cone.cli.postgres.binaries import Binaries, copy_binaries, find_binaries
from cone.cli.postgres.leftovers import list_processes, stop_leftovers
from cone.cli.refusals import StartRefusedError

ROLE = "cone"
DATABASE = "cone"
_POLL_SECONDS = 1 / 100
_STOP_SECONDS = 10
_LONGEST_SOCKET_PATH = 100
_LARGEST_LOG = 5_000_000
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresStartError(StartRefusedError):
    """The embedded Postgres didn't start."""


class EmbeddedPostgres:
    """One Postgres server on one folder: `with EmbeddedPostgres(folder) as server: server.dsn`."""

    def __init__(
        self,
        home: Path,
        *,
        fsync: bool = True,
        settings: Mapping[str, str] | None = None,
        allow_namespace: bool = True,
        fallback: Path = Path("/var/lib/cone"),
        retry_seconds: int = 10,
    ) -> None:
        """Prepare for a server whose files live in `home`; nothing is started yet.

        `fsync=False` trades crash safety for speed (tests). `fallback` is where root's `nobody` keeps
        the cluster when it can't reach `home`.
        """
        self.home = home.absolute()
        self._link = self.home / "server"
        self._log_path = self.home / "postgres.log"
        self._settings = dict(settings or {}) if fsync else {**_CARELESS, **(settings or {})}
        self._fsync = fsync
        self._allow_namespace = allow_namespace
        self._fallback = fallback
        self._retry_seconds = retry_seconds
        self._lock: IO[str] | None = None
        self.account = Account()
        self._binaries: Binaries | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_dir: Path | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    @property
    def cluster(self) -> Path:
        """Return the folder that Postgres calls its data directory."""
        return self._place / "cluster"

    @property
    def _place(self) -> Path:
        return self._link.resolve()

    @property
    def dsn(self) -> str:
        """Return the address of the application's database."""
        return self.get_dsn(DATABASE)

    @property
    def process_id(self) -> int:
        """Return the postmaster's process id."""
        if self._process is None:
            raise RuntimeError("the server hasn't been started")
        return self._process.pid

    def get_dsn(self, database: str) -> str:
        """Return the address of a database of this server."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self._socket_dir), safe='')}"

    def has_died(self) -> bool:
        """Say whether the server ended without being asked to."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start the server and wait until it takes connections, for as long as it lives.

        Raises StartRefusedError with a sentence for the person who started us.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Make the cluster if there's none and start the server without waiting for it."""
        try:
            self.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self._take_lock()
        except OSError as error:
            raise StartRefusedError(f"Can't write to {self.home}: {error.strerror}.") from error
        try:
            self._prepare()
            self._spawn()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Wait until the server takes connections, and make our database if there's none."""
        try:
            self._wait_until_ready(time.monotonic() + self._retry_seconds)
            self._ensure_database()
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start the server again after it died; the lock stays ours all the while."""
        self._forget_stale_servers()
        self._spawn()
        self.wait()

    def stop(self) -> None:
        """End the server (sessions are cut, committed work is kept) and let go of the folder."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        lock = (self.home / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise StartRefusedError(
                f"The data in {self.home} is in use by process {holder or 'unknown'}."
                " Stop that one first, or use another --data-dir."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _prepare(self) -> None:
        if not self._link.is_symlink():
            self._link.mkdir(mode=0o755, exist_ok=True)
        self.account = self._choose_account()
        self._binaries = self._find_binaries()
        self._socket_dir = self._make_socket_dir()
        if self.cluster.is_dir():
            self._forget_stale_servers()
            hand_over(self.cluster, to=self.account)
        else:
            self._make_cluster(self._binaries)

    def _choose_account(self) -> Account:
        accounts = list_accounts(self.cluster, allow_namespace=self._allow_namespace)
        for account in accounts:
            if account.can_enter(self._place):
                return account
        if not accounts[-1].can_enter(Path("/")) or self.cluster.is_dir():
            raise StartRefusedError(
                f"Postgres can't run as root, and the user it would run as can't reach {self.home}."
                " Use --data-dir with a folder everybody may enter, or set DATABASE_URL."
            )
        self._move_to_fallback()
        return accounts[-1]

    def _move_to_fallback(self) -> None:
        place = self._fallback / f"postgres-{secrets.token_hex(4)}"
        place.mkdir(mode=0o755, parents=True)
        self._link.rmdir()
        self._link.symlink_to(place)

    def _find_binaries(self) -> Binaries:
        version = self.cluster / "PG_VERSION"
        major = int(version.read_text()) if version.is_file() else None
        binaries = find_binaries(major=major)
        if self.account.is_someone_else and not self.account.can_enter(binaries.postgres):
            return copy_binaries(binaries, self._place)
        return binaries

    def _make_socket_dir(self) -> Path:
        folder = self._place / "socket"
        if len(str(folder)) > _LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
            digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
            folder = Path(tempfile.gettempdir(), f"cone-{os.geteuid()}-{digest}")
            if folder.is_symlink() or (folder.exists() and not self._is_ours(folder)):
                folder = Path(tempfile.mkdtemp(prefix="cone-"))
        self.account.make_private_folder(folder)
        return folder

    def _is_ours(self, folder: Path) -> bool:
        return folder.stat().st_uid in {os.geteuid(), self.account.user_id}

    def _make_cluster(self, binaries: Binaries) -> None:
        unfinished = self._place / "cluster.new"
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        self.account.make_private_folder(unfinished)
        locale = "C.UTF-8" if sys.platform.startswith("linux") else "C"
        outcome = self.account.run(
            [
                str(binaries.initdb),
                f"--pgdata={unfinished}",
                f"--username={ROLE}",
                "--encoding=UTF8",
                f"--locale={locale}",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--data-checksums",
                *([] if self._fsync else ["--no-sync"]),
            ],
            environment=_server_environment(),
        )
        if outcome.returncode != 0:
            reason = outcome.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise PostgresStartError(f"Postgres couldn't make its data folder {self.cluster}: {reason[0]}")
        unfinished.rename(self.cluster)

    def _forget_stale_servers(self) -> None:
        stop_leftovers(self.cluster)
        if Path("/proc/self").exists() and not list_processes(self.cluster):
            # Its number may belong to a stranger by now, and Postgres would refuse because of it.
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _spawn(self) -> None:
        if self._binaries is None:
            raise RuntimeError("the server hasn't been started")
        options = {"listen_addresses": "", "unix_socket_directories": str(self._socket_dir), **self._settings}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        if self._log_path.is_file() and self._log_path.stat().st_size > _LARGEST_LOG:
            self._log_path.replace(self._log_path.with_suffix(".log.1"))
        with self._log_path.open("ab") as log:
            self._log_path.chmod(0o600)
            self._process = subprocess.Popen(
                [*self.account.prefix, str(self._binaries.postgres), "-D", str(self.cluster), *arguments],
                user=self.account.user_id,
                group=self.account.group_id,
                extra_groups=[] if self.account.is_someone_else else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_server_environment(),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 -- calls nothing but the kernel
            )

    def _wait_until_ready(self, retry_until: float) -> None:
        while True:
            try:
                psycopg.connect(self.get_dsn("postgres"), autocommit=True).close()
            except psycopg.OperationalError:
                if self.has_died():
                    self._start_over(retry_until)
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _start_over(self, retry_until: float) -> None:
        """Try again: backends of a killed server hold its shared memory for some milliseconds more."""
        if not (self.cluster / "postmaster.opts").exists() or time.monotonic() > retry_until:
            lines = self._log_path.read_text(errors="replace").strip().splitlines()[-3:]
            raise PostgresStartError("Postgres doesn't start. Its last words: " + " / ".join(lines))
        time.sleep(1 / 10)
        self._forget_stale_servers()
        self._spawn()

    def _ensure_database(self) -> None:
        with psycopg.connect(self.get_dsn("postgres"), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _server_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _end(process: subprocess.Popen[bytes]) -> None:
    for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(stop_signal)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return
