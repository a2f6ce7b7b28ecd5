"""How fast the emulator is: simple writes and batches of thirty a second, in memory and on disk.

    python bench/emulator_speed.py [--seconds 5] [--connections 8]

It starts an emulator of its own without limits and talks to it over raw sockets, so that the client costs little. The
targets are 1,500 writes and 150 batches a second on one core; `cpu` is what the emulator itself used of one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

SRC = Path(__file__).resolve().parents[1] / "src"
TARGETS = {"writes": 1500, "invoices": 0, "batches of 30": 150}


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


async def talk(base: str, head: str, bodies: Iterator[bytes], until: int) -> int:
    """One connection that asks and waits for the answer, again and again; answers how many were 200."""
    host, _, port = base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    done = 0
    while time.monotonic_ns() < until:
        body = next(bodies)
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        if length is None or not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"The emulator refused: {answer.decode()}")
        await reader.readexactly(int(length.group(1)))
        done += 1
    writer.close()
    return done


def cpu_ticks(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


async def measure(base: str, path: str, make: Callable[[int], object], *, seconds: int, connections: int) -> int:
    realm, token = connect(base)
    head = (
        f"POST /v3/company/{realm}/{path} HTTP/1.1\r\nHost: {base.removeprefix('http://')}\r\n"
        f"Authorization: Bearer {token}\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
    )
    numbers = itertools.count(time.time_ns() // 10**6)
    bodies = (json.dumps(make(number)).encode() for number in numbers)
    until = time.monotonic_ns() + seconds * 10**9
    return sum(await asyncio.gather(*(talk(base, head, bodies, until) for _ in range(connections))))


def connect(base: str) -> tuple[str, str]:
    issued = ask(base, "POST", "/_emulator/tokens")
    return str(issued["realm_id"]), str(issued["access_token"])


def run(*, seconds: int, connections: int) -> None:
    kinds = [
        ("writes", "customer", write_of),
        ("invoices", "invoice", invoice_of),
        ("batches of 30", "batch", batch_of),
    ]
    with tempfile.TemporaryDirectory() as directory:
        for place, arguments in (("memory", ()), ("disk", ("--data-dir", directory))):
            process, base = start("--scenario", "us-sample", *arguments)
            try:
                for name, path, make in kinds:
                    ticks, begun = cpu_ticks(process.pid), time.monotonic_ns()
                    done = asyncio.run(measure(base, path, make, seconds=seconds, connections=connections))
                    spent = (time.monotonic_ns() - begun) / 10**9
                    cpu = (cpu_ticks(process.pid) - ticks) / os.sysconf("SC_CLK_TCK") / spent
                    target = f"target {TARGETS[name]}" if TARGETS[name] else ""
                    per_core = f"{done / spent / cpu:9.0f} per core-second" if cpu else ""
                    print(f"{place:7} {name:14} {done / spent:9.0f}/s  cpu {cpu:4.0%} {per_core}  {target}")
            finally:
                process.terminate()
                process.communicate(timeout=10)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the emulator.")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    run(seconds=given.seconds, connections=given.connections)
