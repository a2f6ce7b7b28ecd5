"""The `cone` command: reads what was asked for, and turns refusals into one sentence on standard error."""

import argparse
import errno
import os
import runpy
import sys
from pathlib import Path

from cone.cli.database import get_running_database, open_database
from cone.cli.parentage import follow_parent
from cone.cli.places import Places, build_environment, find_data_dir
from cone.cli.preparation import collect_static_files, make_demo_firm, migrate, prepare
from cone.cli.refusals import StartRefusedError
from cone.cli.up import UpOptions, up

_FULL_OR_FORBIDDEN = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_GUNICORN = (
    *("--worker-class", "gthread", "--workers", "2", "--threads", "16"),
    *("--graceful-timeout", "3", "--timeout", "60", "--no-control-socket", "--preload"),
    "cone.project.wsgi:application",
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parser = _build_parser()
    chosen, rest = parser.parse_known_args(arguments)
    chosen.rest = rest
    if rest and chosen.act not in (_bench, _emulator):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    chosen.is_part = follow_parent()
    try:
        code: int = chosen.act(chosen)
    except StartRefusedError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in _FULL_OR_FORBIDDEN:
            raise
        print(f"{error.strerror}: {error.filename or find_data_dir(None)}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cone", description="Invoicing that keeps QuickBooks Online in step.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_up(commands)
    web = _add(commands, "web", "serve the pages (on any number of machines, with DATABASE_URL)")
    web.add_argument("--host", default="127.0.0.1", help="address to listen on")
    web.add_argument("--port", type=_port, default=8000, help="port to listen on")
    web.set_defaults(act=_web)
    _add(commands, "worker", "run the sync lanes (on any number of machines)").set_defaults(act=_worker)
    emulator = commands.add_parser("emulator", help="run the QuickBooks emulator alone", add_help=False)
    emulator.set_defaults(act=_emulator)
    bench = commands.add_parser("bench", help="measure a checkout: live, backfill, fleet, idle, faults", add_help=False)
    bench.set_defaults(act=_bench)
    _add(commands, "migrate", "bring the database's tables up to this version").set_defaults(act=_migrate)
    restored = _add(commands, "restored", "say that the database was restored from an older copy, before a worker runs")
    restored.add_argument(
        "--again", action="store_true", help="it was restored from files once more since the firms compared their books"
    )
    restored.set_defaults(act=_restored)
    _add(commands, "demo", "make the demo firm and print its sign-in").set_defaults(act=_demo)
    prepare_command = _add(commands, "prepare", None)
    prepare_command.add_argument("fingerprint")
    prepare_command.add_argument("--no-demo", action="store_true")
    prepare_command.set_defaults(act=_prepare)
    return parser


def _add_up(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(commands, "up", "start everything: database, web, worker, emulator")
    parser.add_argument("--host", default="127.0.0.1", help="address that the web server listens on (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8000, help="port of the web server (8000)")
    parser.add_argument("--emulator-port", type=_port, default=8010, help="port of the QuickBooks emulator (8010)")
    parser.add_argument("--no-emulator", action="store_true", help="don't start the QuickBooks emulator")
    parser.add_argument("--no-demo", action="store_true", help="don't make the demo firm on first start")
    parser.add_argument("--verbose", action="store_true", help="show the logs of all parts")
    parser.set_defaults(act=_up)


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str | None
) -> argparse.ArgumentParser:
    if summary is None:
        parser = commands.add_parser(name)
    else:
        parser = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.add_argument("--data-dir", help="folder for the books, keys and logs (var in the checkout)")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


def _up(chosen: argparse.Namespace) -> int:
    return up(
        UpOptions(
            places=_get_places(chosen),
            host=chosen.host,
            port=chosen.port,
            emulator_port=chosen.emulator_port,
            with_emulator=not chosen.no_emulator,
            with_demo=not chosen.no_demo,
            is_verbose=chosen.verbose,
        )
    )


def _web(chosen: argparse.Namespace) -> int:
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    if not chosen.is_part:  # `cone up` has seen to this already
        _set_up_django(chosen, get_running_database(_get_places(chosen)))
        collect_static_files()
    return _become("gunicorn", ["--bind", f"{host}:{chosen.port}", *_GUNICORN], chosen)


def _worker(chosen: argparse.Namespace) -> int:
    return _become("cone.worker", [], chosen)


def _emulator(chosen: argparse.Namespace) -> int:
    sys.argv = ["qbo_emulator", *chosen.rest]
    runpy.run_module("qbo_emulator", run_name="__main__", alter_sys=True)
    return 0


def _bench(chosen: argparse.Namespace) -> int:
    """Run the checkout's benchmarks. Their parts are told where their own data is, so none of ours is touched."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / "bench" / "__main__.py").is_file():
        raise StartRefusedError(
            "The benchmarks are in Cone's source, not in the installed package. Clone the repository, "
            "run `./test --setup` there, and measure with that checkout's `.venv/bin/cone bench`."
        )
    sys.path.insert(0, str(checkout))
    sys.argv = ["cone bench", *chosen.rest]
    runpy.run_module("bench", run_name="__main__", alter_sys=True)
    return 0


def _become(module: str, arguments: list[str], chosen: argparse.Namespace) -> int:
    places = _get_places(chosen)
    os.environ.update(build_environment(places, database_url=get_running_database(places)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


def _migrate(chosen: argparse.Namespace) -> int:
    with open_database(_get_places(chosen)) as database_url:
        _set_up_django(chosen, database_url)
        migrate()
    return 0


def _restored(chosen: argparse.Namespace) -> int:
    with open_database(_get_places(chosen)) as database_url:
        _set_up_django(chosen, database_url)
        from cone.operations.note_restored import note_restored  # noqa: PLC0415 -- it needs Django's models

        # The copy may be of an older version.
        migrate()
        noted = note_restored(is_another=chosen.again)
    print(f"Records that aren't linked and will be looked for before they're sent: {noted.records}.")
    if noted.compared:
        print(f"Compared already since the restore, and not told again: {', '.join(noted.compared)}.")
        print("If the database's files were restored once more since then, run `cone restored --again`.")
    return 0


def _demo(chosen: argparse.Namespace) -> int:
    with open_database(_get_places(chosen)) as database_url:
        _set_up_django(chosen, database_url)
        migrate()
        sign_in = make_demo_firm()
    print(f"Sign in to the demo firm as {sign_in['email']} with {sign_in['password']}")
    return 0


def _prepare(chosen: argparse.Namespace) -> int:
    places = _get_places(chosen)
    _set_up_django(chosen, os.environ["DATABASE_URL"])
    prepare(places, chosen.fingerprint, with_demo=not chosen.no_demo)
    return 0


def _set_up_django(chosen: argparse.Namespace, database_url: str) -> None:
    os.environ.update(build_environment(_get_places(chosen), database_url=database_url))
    import django  # noqa: PLC0415 -- it costs half a second that other commands needn't wait for

    django.setup()


def _get_places(chosen: argparse.Namespace) -> Places:
    places = Places(find_data_dir(chosen.data_dir))
    places.make()
    return places


if __name__ == "__main__":
    sys.exit(main())
