"""How fast the emulator is, and what keeping its state on disk costs: simple writes, invoices and batches of thirty.

    python bench/emulator_speed.py [--rounds 20] [--requests 300] [--connections 8]

Two emulators without limits, one in memory and one on disk, are asked in turn in many short runs, so that what else the
machine does hits both alike. The client talks over raw sockets and costs little. The targets are 1,500 writes and 150
batches a second on one core, and at most 5 % for durability; a core-second is one of the emulator's own.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

SRC = Path(__file__).resolve().parents[1] / "src"
TARGETS = {"writes": 1500, "invoices": 0, "batches of 30": 150}
KINDS: dict[str, tuple[str, Callable[[int], object], int]] = {}


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "qbo_emulator", "--port", "0", "--no-limits", "--exit-with-parent", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )
    line = process.stdout.readline() if process.stdout is not None else ""
    found = re.search(r"http://\S+", line)
    if found is None:
        raise SystemExit(f"The emulator did not start: {line}")
    return process, found.group(0).rstrip("/")


def ask(base: str, method: str, path: str, body: object = None) -> dict[str, object]:
    request = Request(f"{base}{path}", json.dumps(body or {}).encode(), method=method)  # noqa: S310 - our own server
    with urlopen(request) as answer:  # noqa: S310 - as above
        found: dict[str, object] = json.load(answer)
        return found


def write_of(number: int) -> object:
    return {"DisplayName": f"Speed {number}", "CompanyName": "Speed Ltd", "Notes": "measured"}


def batch_of(number: int) -> object:
    items = [
        {"bId": str(at), "operation": "create", "Customer": write_of(number * 30 + at + 10**8)} for at in range(30)
    ]
    return {"BatchItemRequest": items}


def invoice_of(number: int) -> object:
    line = {
        "Amount": 10,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "10"}, "TaxCodeRef": {"value": "NON"}},
    }
    return {"CustomerRef": {"value": "1"}, "DocNumber": f"S{number}", "Line": [line, line]}


async def talk(base: str, head: str, bodies: Iterator[bytes]) -> None:
    """One connection that asks and waits for the answer until there is nothing left to ask."""
    host, _, port = base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for body in bodies:
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        if length is None or not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"The emulator refused: {answer.decode()}")
        await reader.readexactly(int(length.group(1)))
    writer.close()


@dataclass
class Candidate:
    """One of the two emulators."""

    process: subprocess.Popen[str]
    base: str
    head: str

    @classmethod
    def open(cls, *arguments: str) -> Candidate:
        process, base = start("--scenario", "us-sample", *arguments)
        issued = ask(base, "POST", "/_emulator/tokens")
        head = (
            f"POST /v3/company/{issued['realm_id']}/PATH HTTP/1.1\r\nHost: {base.removeprefix('http://')}\r\n"
            f"Authorization: Bearer {issued['access_token']}\r\nAccept: application/json\r\n"
            "Content-Type: application/json\r\n"
        )
        return cls(process, base, head)

    def cpu(self) -> int:
        """Nanoseconds that it has spent on a processor."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0])

    async def run(self, path: str, texts: list[bytes], *, connections: int) -> Run:
        cpu, begun, bodies = self.cpu(), time.monotonic_ns(), iter(texts)
        head = self.head.replace("PATH", path)
        await asyncio.gather(*(talk(self.base, head, bodies) for _ in range(connections)))
        return Run(len(texts), time.monotonic_ns() - begun, self.cpu() - cpu)


class Run(NamedTuple):
    """So many requests, and the nanoseconds they took: on the clock, and of the emulator's processor time."""

    requests: int
    elapsed: int
    cpu: int


def measure(kind: str, pair: dict[str, Candidate], *, rounds: int, requests: int, connections: int) -> None:
    path, make, size = KINDS[kind]
    runs: dict[str, list[Run]] = {place: [] for place in pair}
    numbers = itertools.count(1)
    for round_ in range(rounds + 1):
        texts = [json.dumps(make(next(numbers))).encode() for _ in range(max(1, requests // size))]
        for place in sorted(pair, reverse=round_ % 2 == 0):
            run = asyncio.run(pair[place].run(path, texts, connections=connections))
            # The first round warms both up.
            if round_:
                runs[place].append(run)
    for place, each in runs.items():
        rate = statistics.median(run.requests / run.elapsed for run in each) * 10**9
        per_core = statistics.median(run.requests / run.cpu for run in each) * 10**9
        target = f"  target {TARGETS[kind]}" if TARGETS[kind] else ""
        print(f"{kind:14} {place:7} {rate:7.0f}/s  {per_core:7.0f} per core-second{target}")
    for word in ("cpu", "elapsed"):
        pairs = zip(runs["memory"], runs["disk"], strict=True)
        costs = [getattr(disk, word) / getattr(memory, word) * 100 - 100 for memory, disk in pairs]
        low, middle, high = statistics.quantiles(costs, n=4)
        print(f"{kind:14} disk costs {middle:5.1f} % {word} (half of the rounds: {low:.1f} to {high:.1f} %)")


def main(*, rounds: int, requests: int, connections: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        pair = {"memory": Candidate.open(), "disk": Candidate.open("--data-dir", directory)}
        try:
            for kind in KINDS:
                measure(kind, pair, rounds=rounds, requests=requests, connections=connections)
        finally:
            for each in pair.values():
                each.process.terminate()
                each.process.communicate(timeout=10)


KINDS |= {
    "writes": ("customer", write_of, 1),
    "invoices": ("invoice", invoice_of, 1),
    "batches of 30": ("batch", batch_of, 10),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the emulator.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=300, help="in each run; a tenth of it for batches")
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    main(rounds=given.rounds, requests=given.requests, connections=given.connections)
