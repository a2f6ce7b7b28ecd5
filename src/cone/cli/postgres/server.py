"""The supervisor of one embedded Postgres: one owner, unix socket only, safe to kill at any moment.

Usable by the `cone` command and by tests alike. Start it from a thread that stays (the main one): on
Linux the server is told to stop when the thread that started it ends.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from cone.cli.parentage import die_with_parent
from cone.cli.postgres.site import ROLE, PostgresStartError, Site, build_server_environment
from cone.cli.refusals import StartRefusedError

DATABASE = "cone"
_POLL_SECONDS = 1 / 100
_STOP_SECONDS = 10
_LARGEST_LOG = 5_000_000
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


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
        self.site = Site(self.home, allow_namespace=allow_namespace, fallback=fallback)
        self._log_path = self.home / "postgres.log"
        self._settings = dict(settings or {}) if fsync else {**_CARELESS, **(settings or {})}
        self._fsync = fsync
        self._retry_seconds = retry_seconds
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

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
        return self.site.cluster

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
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.site.socket_dir), safe='')}"

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
            self.site.prepare(with_sync=self._fsync)
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
        self.site.forget_stale_servers()
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

    def _spawn(self) -> None:
        site = self.site
        options = {"listen_addresses": "", "unix_socket_directories": str(site.socket_dir), **self._settings}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        if self._log_path.is_file() and self._log_path.stat().st_size > _LARGEST_LOG:
            self._log_path.replace(self._log_path.with_suffix(".log.1"))
        with self._log_path.open("ab") as log:
            self._log_path.chmod(0o600)
            self._process = subprocess.Popen(
                [*site.account.prefix, str(site.binaries.postgres), "-D", str(site.cluster), *arguments],
                user=site.account.user_id,
                group=site.account.group_id,
                extra_groups=[] if site.account.is_someone_else else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=build_server_environment(),
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
        self.site.forget_stale_servers()
        self._spawn()

    def _ensure_database(self) -> None:
        with psycopg.connect(self.get_dsn("postgres"), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _end(process: subprocess.Popen[bytes]) -> None:
    for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(stop_signal)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return
