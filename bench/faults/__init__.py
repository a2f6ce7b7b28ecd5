"""`faults`: the same seeds under every policy of request ids, with everything going wrong at once; then an audit.

Each cell is a process of its own with its own database, emulator and workers. The run is correct when the audit finds
nothing, in any cell: no duplicate, nothing missing without a cause, not a cent of difference.
"""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import IO

from bench.faults.cells import CELLS, QUICK_CELLS, Order
from bench.faults.report import summarize
from bench.stand import Process, prepared_books

_AT_ONCE = 2
# The template is only made: nothing is sent from it.
_NOWHERE = "http://127.0.0.1:9"


def run(*, is_quick: bool, seed: int | None = None, cells: Sequence[str] = ()) -> dict[str, object]:
    """What every cell came to, and all of them together; `is_correct` says whether the audit found nothing."""
    chosen = 1 if seed is None else seed
    print(f"seed {chosen}", file=sys.stderr)
    names = cells or (QUICK_CELLS if is_quick else [cell.name for cell in CELLS])
    with prepared_books(_NOWHERE) as template:
        template.stop()
        orders = [Order.of(name, seed=chosen, is_quick=is_quick, template=template.home) for name in names]
        return summarize(chosen, _run_all(orders, at_once=len(orders) if is_quick else _AT_ONCE))


def _run_all(orders: Sequence[Order], *, at_once: int) -> list[Mapping[str, object]]:
    """The figures of each, in their order."""
    waiting, figures = list(orders), {}
    running: dict[str, tuple[Process, IO[bytes]]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                order = waiting.pop(0)
                output = tempfile.TemporaryFile()  # noqa: SIM115  # closed with its process
                running[order.cell] = _start(order, output), output
            for name in [name for name, (process, _) in running.items() if process.has_ended()]:
                process, log = running.pop(name)
                figures[name] = _read(name, process, log)
            time.sleep(1 / 10)
    finally:
        for process, log in running.values():
            process.stop()
            log.close()
    return [figures[order.cell] for order in orders]


def _start(order: Order, log: IO[bytes]) -> Process:
    return Process("-m", "bench.faults.cell", json.dumps(asdict(order)), is_piped=True, log=log)


def _read(name: str, process: Process, log: IO[bytes]) -> Mapping[str, object]:
    line = process.read_line()
    with log:
        if not line:
            log.seek(0)
            raise SystemExit(f"The cell “{name}” broke:\n{log.read().decode(errors='replace')[-3000:]}")
    found: Mapping[str, object] = json.loads(line)
    return found
