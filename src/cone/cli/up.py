"""`cone up`: Postgres, web, worker and emulator in one process tree that starts, lives and ends together."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cone.cli.database import hold_data_dir
from cone.cli.logs import read_last_words
from cone.cli.parentage import Lifeline
from cone.cli.part import Part
from cone.cli.places import Places, build_environment, ensure_emulator_credentials, write_private
from cone.cli.ports import answers_ok, check_port, get_address
from cone.cli.postgres import EmbeddedPostgres
from cone.cli.preparation import find_sign_in, get_fingerprint, is_prepared
from cone.cli.refusals import StartRefusedError

_STOP_SECONDS = 6
_SILENCE_SECONDS = 15
_POLL_SECONDS = 1 / 20
_CALM_POLL_SECONDS = 1 / 4
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class UpOptions:
    """What was asked for on the command line."""

    places: Places
    host: str = _LOOPBACK
    port: int = 8000
    emulator_port: int = 8010
    with_emulator: bool = True
    with_demo: bool = True
    is_verbose: bool = False

    @property
    def runs_emulator(self) -> bool:
        """Say whether the emulator is started: with keys of Intuit's, Cone talks to the real thing."""
        return self.with_emulator and not os.environ.get("QUICKBOOKS_CLIENT_ID")


def up(options: UpOptions) -> int:
    """Start everything, watch it, and stop all of it when asked to; return the exit code."""
    started_at = time.monotonic()
    options.places.make()
    with hold_data_dir(options.places) as last_one_ended_well:
        _check_ports(options, patience_seconds=0 if last_one_ended_well else _STOP_SECONDS)
        household = Household(options)
        with _stop_on_signals():
            try:
                household.start()
                _announce(options, cluster=household.cluster, seconds=time.monotonic() - started_at)
                household.watch()
            except KeyboardInterrupt:
                _say("Stopping …")
            finally:
                _ignore_signals()
                household.stop()
    _say("Everything has stopped.")
    return 0


class Household:
    """The parts that run under one roof."""

    def __init__(self, options: UpOptions) -> None:
        """Plan them; nothing is started yet."""
        self._options = options
        self._places = options.places
        self._lifeline = Lifeline()
        self._parts: list[Part] = []
        self._preparation: subprocess.Popen[bytes] | None = None
        given = os.environ.get("DATABASE_URL")
        self._postgres = None if given else EmbeddedPostgres(self._places.postgres)
        self._database_url = given or ""

    @property
    def cluster(self) -> Path | None:
        """Return the embedded database's folder."""
        return self._postgres.cluster if self._postgres is not None else None

    def start(self) -> None:
        """Start everything in the order that it depends on; return when all of it is ready."""
        if self._postgres is not None:
            self._postgres.launch()
        if self._options.runs_emulator:
            self._add(self._plan_emulator())
        if self._postgres is not None:
            self._postgres.wait()
            self._database_url = self._postgres.dsn
            write_private(self._places.database_url, self._database_url)
        self._prepare()
        self._add(self._plan_web())
        self._add(self._plan_worker())
        self._wait_until_ready()

    def watch(self) -> None:
        """Keep everything running until a signal comes."""
        while True:
            self._tend()
            time.sleep(_CALM_POLL_SECONDS)

    def stop(self) -> None:
        """End everything: the parts first, together, then the database under them."""
        deadline = time.monotonic() + _STOP_SECONDS
        if self._preparation is not None and self._preparation.poll() is None:
            self._preparation.kill()
            self._preparation.wait()
        for part in self._parts:
            part.ask_to_stop()
        for part in self._parts:
            part.stop(deadline=deadline)
        if self._postgres is not None:
            self._places.database_url.unlink(missing_ok=True)
            self._postgres.stop()
        self._lifeline.close()

    def _add(self, part: Part) -> None:
        self._parts.append(part)
        part.start(self._lifeline)

    def _wait_until_ready(self) -> None:
        speak_at = time.monotonic() + _SILENCE_SECONDS
        while missing := [part for part in self._parts if not part.has_been_ready]:
            self._tend()
            if time.monotonic() > speak_at:
                _say(f"Still waiting for {', '.join(f'the {part.name} ({part.log_path})' for part in missing)} …")
                speak_at += _SILENCE_SECONDS
            time.sleep(_POLL_SECONDS)

    def _tend(self) -> None:
        if self._postgres is not None and self._postgres.has_died():
            _say("Postgres stopped; starting it again.")
            self._postgres.restart()
        for part in self._parts:
            part.tend(self._lifeline, say=_say, is_verbose=self._options.is_verbose)

    def _prepare(self) -> None:
        with_demo = self._options.with_demo
        fingerprint = get_fingerprint(self._database_url, self.cluster, with_demo=with_demo)
        if self.cluster is not None and is_prepared(self._places, fingerprint):
            return
        log_path = self._places.logs / "prepare.log"
        with log_path.open("wb") as log:
            log_path.chmod(0o600)
            self._preparation = subprocess.Popen(
                [*_cone("prepare"), fingerprint, *([] if with_demo else ["--no-demo"])],
                stdin=subprocess.DEVNULL,
                stderr=log,
                env={**self._environment(), **self._lifeline.environment()},
                pass_fds=[self._lifeline.read_end],
                start_new_session=True,
            )
            code = self._preparation.wait()
        if code != 0:
            words = read_last_words(log_path)
            raise StartRefusedError(f"The database couldn't be prepared. Last words in {log_path}:\n\n{words}\n")

    def _environment(self) -> dict[str, str]:
        options = self._options
        own = {"CONE_BASE_URL": get_base_url(options)}
        if options.runs_emulator:
            keys = ensure_emulator_credentials(self._places)
            own["CONE_EMULATOR_URL"] = get_address(_LOOPBACK, options.emulator_port)
            own["CONE_EMULATOR_CLIENT_ID"] = keys["client_id"]
            own["CONE_EMULATOR_CLIENT_SECRET"] = keys["client_secret"]
        return build_environment(self._places, database_url=self._database_url, own=own)

    def _plan_web(self) -> Part:
        host, port = self._options.host, self._options.port
        return Part(
            name="web",
            command=[*_cone("web"), "--host", host, "--port", str(port)],
            environment=self._environment(),
            log_path=self._places.logs / "web.log",
            is_ready=lambda _lines: answers_ok(host, port, "/healthz"),
        )

    def _plan_worker(self) -> Part:
        return Part(
            name="worker",
            command=_cone("worker"),
            environment=self._environment(),
            log_path=self._places.logs / "worker.log",
            is_ready=lambda lines: any("worker ready" in line for line in lines),
        )

    def _plan_emulator(self) -> Part:
        port = self._options.emulator_port
        keys = ensure_emulator_credentials(self._places)
        self._places.emulator.mkdir(mode=0o700, exist_ok=True)
        return Part(
            name="emulator",
            command=[
                *(sys.executable, "-m", "qbo_emulator", "--port", str(port), "--app-name", "Cone"),
                *("--data-dir", str(self._places.emulator), "--exit-with-parent"),
            ],
            environment={
                **os.environ,
                "QBO_EMULATOR_CLIENT_ID": keys["client_id"],
                "QBO_EMULATOR_CLIENT_SECRET": keys["client_secret"],
                "PYTHONUNBUFFERED": "1",
            },
            log_path=self._places.logs / "emulator.log",
            is_ready=lambda _lines: answers_ok(_LOOPBACK, port, "/_emulator/health"),
        )


def get_base_url(options: UpOptions) -> str:
    """Return the address under which people reach Cone; every link and redirect URI starts with it."""
    return os.environ.get("CONE_BASE_URL") or get_address(options.host, options.port)


def _cone(command: str) -> list[str]:
    return [sys.executable, "-m", "cone.cli.main", command]


def _check_ports(options: UpOptions, *, patience_seconds: int) -> None:
    """Raise StartRefusedError for a taken port; what a killed `cone up` left behind may need moments to leave."""
    if options.runs_emulator and options.emulator_port == options.port:
        raise StartRefusedError(f"Cone and the emulator can't share port {options.port}: move one of them.")
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            check_port(options.host, options.port, option="--port")
            if options.runs_emulator:
                check_port(_LOOPBACK, options.emulator_port, option="--emulator-port")
        except StartRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def _announce(options: UpOptions, *, cluster: Path | None, seconds: float) -> None:
    sign_in = find_sign_in(options.places) if options.with_demo else None
    lines = [f"\nCone is ready, after {seconds:.1f} s.\n", f"  Cone        {get_base_url(options)}"]
    if sign_in is not None:
        lines.append(f"              sign in to the demo firm as {sign_in['email']} with {sign_in['password']}")
    if options.runs_emulator:
        address = get_address(_LOOPBACK, options.emulator_port)
        lines.append(f"  QuickBooks  {address}  (the emulator; its books stay on this machine)")
    if cluster is not None and not cluster.is_relative_to(options.places.data_dir.resolve()):
        lines.append(
            f"\nThe database is kept in {cluster}: the user that Postgres runs as can't reach your data folder."
        )
    lines.append(f"\nLogs are in {_shorten(options.places.logs)}. Ctrl-C stops everything.")
    _say("\n".join(lines))


def _shorten(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _say(sentence: str) -> None:
    # The terminal may be gone (a closed window, a broken pipe); what runs must still be stopped in order.
    with contextlib.suppress(OSError):
        print(sentence, flush=True)


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[None]:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
