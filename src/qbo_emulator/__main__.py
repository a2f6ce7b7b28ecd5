"""The command line: python -m qbo_emulator --port 8010."""

import argparse
import os
import sys
from pathlib import Path

from .emulator import Emulator
from .limits import Limits
from .scenarios import SCENARIOS
from .server import PortTakenError, end_with_parent, listen, serve
from .settings import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, SCENARIO_OF_COUNTRY, Settings

_LONGEST_BEHIND_SECONDS = 10**9


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m qbo_emulator", description="A QuickBooks Online emulator; not made by Intuit."
    )
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--country", choices=sorted(SCENARIO_OF_COUNTRY), default="GB")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="", help="default: the country's")
    parser.add_argument("--client-id", default=os.environ.get("QBO_EMULATOR_CLIENT_ID", DEFAULT_CLIENT_ID))
    secret = os.environ.get("QBO_EMULATOR_CLIENT_SECRET", DEFAULT_CLIENT_SECRET)
    parser.add_argument("--client-secret", default=secret)
    parser.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        help="may be repeated; without any, all loopback addresses are accepted",
    )
    parser.add_argument("--app-name", default="Your app", help="how the consent page calls the app")
    parser.add_argument("--data-dir", type=Path, default=None, help="keep the state here; default: memory only")
    parser.add_argument("--strict", action="store_true", help="refuse queries that the documentation does not have")
    parser.add_argument("--no-limits", action="store_true", help="let any number of requests pass")
    parser.add_argument(
        "--disconnect-url", default="", help="where the browser goes after a disconnect inside QuickBooks"
    )
    parser.add_argument(
        "--clock-behind",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="begin so long ago, to have records that are old once the clock has jumped forward",
    )
    parser.add_argument("--exit-with-parent", action="store_true", help="end when the process that started it ends")
    return parser.parse_args(arguments)


def _seconds(text: str) -> int:
    """A length of time. Raises ValueError for what is none."""
    seconds = int(text)
    if not 0 <= seconds <= _LONGEST_BEHIND_SECONDS:
        raise ValueError(text)
    return seconds


def main(arguments: list[str] | None = None) -> int:
    parent = os.getppid()
    given = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        listener = listen(given.host, given.port)
    except PortTakenError as error:
        sys.stderr.write(
            f"Cannot listen on {given.host}:{given.port} ({error.strerror}). "
            "Is something else running there? Choose another with --port.\n"
        )
        return 1
    if given.exit_with_parent:
        end_with_parent(parent)
    port = listener.getsockname()[1]
    settings = Settings(
        host=given.host,
        port=port,
        country=given.country,
        scenario=given.scenario,
        client_id=given.client_id,
        client_secret=given.client_secret,
        redirect_uris=tuple(given.redirect_uri),
        app_name=given.app_name,
        data_dir=given.data_dir,
        strict=given.strict,
        limits=Limits(enabled=not given.no_limits),
        disconnect_url=given.disconnect_url,
        clock_behind_seconds=given.clock_behind,
    )
    try:
        emulator = Emulator(settings)
    except OSError as error:
        listener.close()
        sys.stderr.write(f"Cannot use the data directory {given.data_dir}: {error}\n")
        return 1
    sys.stdout.write(f"QuickBooks emulator: http://{given.host}:{port}/\n")
    sys.stdout.flush()
    serve(emulator, listener)
    return 0


if __name__ == "__main__":
    sys.exit(main())
