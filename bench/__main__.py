"""`python -m bench NAME [--quick] [--json FILE]`: run one benchmark, print its table and what it ran on."""

import argparse
import json
from pathlib import Path

from bench import backfill, fleet, live
from bench.stand import ran_on

_BENCHES = {
    "backfill": backfill.run,
    "backfill-batches-only": lambda *, is_quick: backfill.run(is_quick=is_quick, is_batches_only=True),
    "fleet": fleet.run,
    "live": live.run,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("name", choices=sorted(_BENCHES))
    parser.add_argument("--quick", action="store_true", help="fewer records: an impression in under a minute")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    machine = ran_on()
    figures = _BENCHES[chosen.name](is_quick=chosen.quick)
    for name, value in {**figures, **machine}.items():
        print(f"{name:32} {value}")
    if chosen.json:
        chosen.json.write_text(json.dumps({"bench": chosen.name, "figures": figures, "ran_on": machine}, indent=1))


if __name__ == "__main__":
    main()
