"""`python -m bench.report FILE…`: write the figures of runs (`--json FILE`) into docs/benchmarks.md and README.md.

Both have places marked for it; what stands between the marks is replaced. Several files of one benchmark become the
median and, in brackets, the least and the most.
"""

import json
import re
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.stand import ROOT

Run = Mapping[str, Any]

_MARKED = re.compile(r"(<!-- figures: (?P<name>[\w-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def main(paths: Sequence[str]) -> int:
    """Read the runs and fill every place that has some."""
    runs: dict[str, list[Run]] = {}
    for path in paths:
        run = json.loads(Path(path).read_text())
        runs.setdefault(run["bench"], []).append(run)
    for page in (ROOT / "docs" / "benchmarks.md", ROOT / "README.md"):
        page.write_text(_MARKED.sub(lambda found: _fill(found, runs), page.read_text()))
    return 0


def _fill(found: re.Match[str], runs: Mapping[str, Sequence[Run]]) -> str:
    name = found["name"]
    if name == "headlines":
        return f"{found[1]}{_headlines(runs)}{found[3]}" if {"live", "backfill", "faults"} <= set(runs) else found[0]
    return f"{found[1]}{_section(runs[name])}{found[3]}" if name in runs else found[0]


def _section(runs: Sequence[Run]) -> str:
    """The single figures as one table, each list of rows as another, and what they were measured on."""
    merged = _merge([run["figures"] for run in runs])
    single = {name: value for name, value in merged.items() if not _is_table(value)}
    parts = [_table([{"figure": _words(name), "": _told(value)} for name, value in single.items()])] if single else []
    for name, rows in merged.items():
        if _is_table(rows):
            parts.append(f"{_words(name).capitalize()}:\n\n" + _table([_worded(row) for row in rows]))
    return "\n".join([*parts, f"{_ran_on(runs)}\n"])


def _ran_on(runs: Sequence[Run]) -> str:
    last = runs[-1]["ran_on"]
    kind = "quick " if any(run["is_quick"] for run in runs) else ""
    often = f"{len(runs)} {kind}runs, the last of them" if len(runs) > 1 else f"One {kind}run"
    return (
        f"{often} on {last['date']}: {last['cpu']}, {last['cores']} cores, Python {last['python']},"
        f" {last['system']}; load before it {last['load']}."
    )


def _merge(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: _merge_values([each[name] for each in figures if name in each]) for name in figures[0]}


def _merge_values(values: Sequence[Any]) -> Any:
    if all(_is_table(value) for value in values):
        return [_merge(rows) for rows in zip(*values, strict=False)]
    if len(set(map(str, values))) == 1:
        return values[0]
    if all(isinstance(value, int | float) for value in values):
        middle = statistics.median(values)
        return f"{_short(middle)} ({_short(min(values))} to {_short(max(values))})"
    return " / ".join(map(str, values))


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool([row for row in value if isinstance(row, dict)])


def _told(value: object) -> object:
    return ", ".join(f"{name} {count}" for name, count in value.items()) if isinstance(value, dict) else value


def _short(value: float) -> str:
    return f"{value:.4g}" if value < 1000 else f"{round(value)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _worded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {_words(name): value for name, value in row.items()}


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([str(row.get(name, "")) for name in names] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _headlines(runs: Mapping[str, Sequence[Run]]) -> str:
    live, backfill, faults = (_merge([run["figures"] for run in runs[name]]) for name in ("live", "backfill", "faults"))
    beside = {str(row["who"]): row for row in backfill["side_by_side"] if row["faults"] == "none"}
    peers = ", ".join(f"{row['per_minute']} ({name})" for name, row in beside.items() if name != "Cone")
    return _table(
        [
            {
                "": "An invoice's way from its commit to its request, on an idle system",
                "measured": f"{live['p50_ms']} ms (median), {live['p99_ms']} ms (99th percentile)",
            },
            {
                "": "A backlog, within QuickBooks' published limits",
                "measured": f"{backfill['writes_per_minute']} records a minute, {backfill['of_ceiling_percent']} % of"
                f" what they allow; beside it, on the same emulator: {peers}",
            },
            {
                "": f"After {faults['faults']} faults over {faults['records']} records",
                "measured": f"{faults['duplicates']} duplicates, {faults['missing']} missing,"
                f" {faults['cents']} cents of difference",
            },
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
