"""`cone bench NAME` or `python -m bench NAME`: run one benchmark, print its table and what it ran on.

Each starts what it needs on free ports and stops it, also when it fails or is told to stop.
"""

import argparse
import inspect
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bench.stand import ran_on

# Where each benchmark's `run(*, is_quick, …)` is, and what else it's told. They're imported when they're asked for.
_BENCHES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "live": ("bench.live", {}),
    "backfill": ("bench.backfill", {}),
    "backfill-batches-only": ("bench.backfill", {"is_batches_only": True}),
    "fleet": ("bench.fleet", {}),
    "idle": ("bench.idle", {}),
    "fairness": ("bench.fairness", {}),
    "preview": ("bench.preview", {}),
    "scaling": ("bench.scaling", {}),
    "faults": ("bench.faults", {}),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 when what was checked on the way is wrong, 130 when it was told to stop."""
    parser = argparse.ArgumentParser(prog="cone bench", description="Measure this checkout on this machine.")
    parser.add_argument("name", choices=[name for name, (module, _) in _BENCHES.items() if _is_there(module)])
    parser.add_argument("--quick", action="store_true", help="fewer records: an impression in under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    parser.add_argument("--seed", type=int, help="what chance decides is decided from it (a benchmark may have none)")
    chosen = parser.parse_args(arguments)
    run = _find(chosen.name)
    if chosen.seed is not None:
        if "seed" not in inspect.signature(run).parameters:
            parser.error(f"{chosen.name} leaves nothing to chance; it takes no --seed")
        run = partial(run, seed=chosen.seed)
    for asked in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, _stop)
    machine = ran_on()
    try:
        figures = run(is_quick=chosen.quick)
    except KeyboardInterrupt:
        print("Stopped; nothing was measured.", file=sys.stderr)
        return 130
    _print(figures)
    _print(machine)
    if chosen.json:
        chosen.json.write_text(
            json.dumps(
                {"bench": chosen.name, "is_quick": chosen.quick, "figures": figures, "ran_on": machine}, indent=1
            )
        )
    return 0 if figures.get("is_correct", True) else 1


def _is_there(module: str) -> bool:
    place = Path(__file__).parents[1].joinpath(*module.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def _find(name: str) -> Callable[..., dict[str, object]]:
    module, values = _BENCHES[name]
    run: Callable[..., dict[str, object]] = import_module(module).run
    return partial(run, **values) if values else run


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """Being ended is being interrupted: what was started is stopped on the way out."""
    raise KeyboardInterrupt


def _print(figures: Mapping[str, object]) -> None:
    """One figure a line; a list of rows as a table of its own."""
    for name, value in figures.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            print(f"{name}:")
            _print_table(value)
        else:
            print(f"{name:32} {value}")


def _print_table(rows: Sequence[Mapping[str, object]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    for line in lines:
        print("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
