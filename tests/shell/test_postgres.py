"""The embedded Postgres: one owner, survives being killed, never left behind, as root and as a normal user."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cone.cli.postgres import EmbeddedPostgres, PostgresStartError, temporary_postgres
from cone.cli.postgres.leftovers import list_processes
from cone.cli.refusals import StartRefusedError

from .processes import SOURCE, find_python_for_nobody, is_running, wait_until

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc about processes")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

_START_AND_REPORT = """
import sys, time
from pathlib import Path
from cone.cli.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False)
server.start()
print(server.process_id, flush=True)
time.sleep(60)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a folder that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="cone-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder, "postgres")


def ask(server: EmbeddedPostgres, question: str) -> object:
    """Return the first column of the first row."""
    with psycopg.connect(server.dsn) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def write_one(server: EmbeddedPostgres) -> None:
    """Commit something that must still be there later."""
    with psycopg.connect(server.dsn) as connection:
        connection.execute("create table note (text text)")
        connection.execute("insert into note values ('kept')")


def start_in_another_process(home: Path, python: list[str]) -> tuple["subprocess.Popen[str]", int]:
    """Start a supervisor elsewhere; return it and its server's process id."""
    supervisor = subprocess.Popen(
        [*python, "-c", _START_AND_REPORT, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert supervisor.stdout is not None
    with supervisor.stdout:
        server = int(supervisor.stdout.readline())
    return supervisor, server


def test_start_makes_database_that_is_kept(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        write_one(server)
        encoding = ask(server, "select pg_encoding_to_char(encoding) from pg_database where datname = 'cone'")
    with EmbeddedPostgres(home) as again:
        kept = ask(again, "select text from note")
        settings = (ask(again, "show fsync"), ask(again, "show data_checksums"))
    assert (encoding, kept, settings) == ("UTF8", "kept", ("on", "on"))


def test_start_listens_on_nothing_but_a_private_socket(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as server:
        addresses = ask(server, "show listen_addresses")
        folder = Path(str(ask(server, "show unix_socket_directories")))
        mode = stat.S_IMODE(folder.stat().st_mode)
    assert (addresses, mode) == ("", 0o700)


@needs_linux
def test_stop_leaves_no_process(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as server:
        running = list_processes(server.cluster)
    assert running
    assert list_processes(server.cluster) == []


def test_start_twice_is_refused_in_a_sentence(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as server:
        with pytest.raises(StartRefusedError, match=f"in use by process {os.getpid()}"):
            EmbeddedPostgres(home, fsync=False).start()
        assert ask(server, "select 1") == 1


def test_restart_after_sigkill_keeps_what_was_committed(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        write_one(server)
        os.kill(server.process_id, signal.SIGKILL)
        assert wait_until(server.has_died)
        server.restart()
        assert ask(server, "select text from note") == "kept"


@needs_linux
def test_sigkill_of_supervisor_takes_server_along(home: Path) -> None:
    supervisor, server = start_in_another_process(home, [sys.executable])
    supervisor.kill()
    supervisor.wait()
    assert wait_until(lambda: not is_running(server))


@needs_linux
def test_leftover_server_is_stopped_at_next_start(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as first:
        write_one(first)
        cluster, binaries = first.cluster, first.site.binaries
        options = ["-D", str(cluster), "-c", "listen_addresses=", "-k", str(cluster.parent / "socket")]
        account = first.site.account
    leftover = subprocess.Popen(
        [*account.prefix, str(binaries.postgres), *options],
        user=account.user_id,
        group=account.group_id,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
    assert wait_until((cluster / "postmaster.pid").exists)
    with EmbeddedPostgres(home, fsync=False) as second:
        assert leftover.wait(10) == 0
        assert second.process_id != leftover.pid
        assert ask(second, "select text from note") == "kept"


def test_start_ignores_stale_pid_file_of_a_living_stranger(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as server:
        cluster = server.cluster
    (cluster / "postmaster.pid").write_text(f"{os.getppid()}\n{cluster}\n")
    with EmbeddedPostgres(home, fsync=False) as again:
        assert ask(again, "select 1") == 1


def test_half_made_cluster_is_made_anew(home: Path) -> None:
    unfinished = home / "server" / "cluster.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    home.chmod(0o711)
    with EmbeddedPostgres(home, fsync=False) as server:
        assert ask(server, "select 1") == 1


def test_start_with_broken_setting_quotes_last_words(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False):
        pass
    server = EmbeddedPostgres(home, fsync=False, settings={"shared_buffers": "many"}, retry_seconds=0)
    with pytest.raises(PostgresStartError, match=r"Its last words: .*shared_buffers"):
        server.start()


def test_configured_binaries_that_are_none_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONE_POSTGRES_BIN", str(home))
    with pytest.raises(StartRefusedError, match="CONE_POSTGRES_BIN names"):
        EmbeddedPostgres(home).start()


def test_very_long_path_gets_a_short_socket(home: Path) -> None:
    deep = home.joinpath(*["a-rather-long-folder-name"] * 5)
    for folder in reversed([deep, *deep.parents][:5]):
        folder.mkdir(exist_ok=True, parents=True)
    with EmbeddedPostgres(deep, fsync=False) as server:
        assert ask(server, "select 1") == 1


@needs_root
def test_as_root_without_namespaces_runs_as_nobody(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False, allow_namespace=False) as server:
        owner = Path(f"/proc/{server.process_id}").stat().st_uid
        assert (owner, ask(server, "select 1")) == (server.site.account.user_id, 1)


@needs_root
def test_as_root_unreachable_home_moves_the_cluster_and_copies_programs(home: Path, tmp_path: Path) -> None:
    locked = tmp_path / "private"
    locked.mkdir(mode=0o700)
    fallback = home.parent / "fallback"
    with EmbeddedPostgres(locked / "postgres", fsync=False, allow_namespace=False, fallback=fallback) as server:
        assert ask(server, "select 1") == 1
        assert server.cluster.is_relative_to(fallback.resolve())
    assert stat.S_IMODE(locked.stat().st_mode) == 0o700


@needs_root
def test_cluster_made_in_a_namespace_is_handed_to_nobody_when_they_are_forbidden(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as first:
        write_one(first)
    with EmbeddedPostgres(home, fsync=False, allow_namespace=False) as second:
        assert ask(second, "select text from note") == "kept"
    with EmbeddedPostgres(home, fsync=False) as third:
        assert ask(third, "select text from note") == "kept"


@needs_root
def test_as_normal_user_starts_and_leaves(home: Path) -> None:
    python = find_python_for_nobody()
    if python is None:
        pytest.skip("nobody can't reach this Python")
    home.parent.chmod(0o777)
    supervisor, server = start_in_another_process(home, python)
    owner = Path(f"/proc/{server}").stat().st_uid
    supervisor.kill()
    supervisor.wait()
    assert owner != 0
    assert wait_until(lambda: not is_running(server))


def test_temporary_server_leaves_no_file() -> None:
    with temporary_postgres() as server:
        folder = server.home.parent
        assert ask(server, "select 1") == 1
    assert not folder.exists()
