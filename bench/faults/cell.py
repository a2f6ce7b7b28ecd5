"""One cell in a process of its own: a database, an emulator under one policy, two workers, people, and what hits them.

    python -m bench.faults.cell '{"cell": "ignored", "seed": 1, …}'

Prints its figures as one line of JSON.
"""

import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import psycopg

from bench.faults.audit import compare
from bench.faults.cells import CELLS, LONG_SECONDS, SPEED, Order
from bench.faults.our_books import read_ours
from bench.faults.their_books import read_theirs
from bench.stand import Emulator, Process, prepared_books, running_emulator
from cone.cli.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from bench.faults.chaos import Chaos
    from bench.faults.firm import Firm

# A commit is in the kernel's hands before it's answered, as it must be where the server is killed; no power cut here.
_SETTINGS = {"synchronous_commit": "on", "full_page_writes": "on"}
_WORKERS = 2
_POLICIES = ("leave", "void", "delete")
_LISTENING = "select count(*) from pg_stat_activity where query ilike 'listen %cone_lane%'"
_TICK_SECONDS = 1 / 20
# Many times what anything of this takes: what never comes ends the run with its reason.
_PATIENCE_SECONDS = 180
# Two jumps lead to now, less four minutes: running faster, the clock there stays within the five that Cone allows it to
# differ while people work.
_BEHIND_SECONDS = 2 * LONG_SECONDS + 240


class Household:
    """The database and the workers, brought back whenever they're killed, as `cone up` does."""

    def __init__(self, server: EmbeddedPostgres, log: BinaryIO) -> None:
        self._server = server
        self._log = log
        self._workers = [self._start() for _ in range(_WORKERS)]
        self.kills: Counter[str] = Counter()

    def _start(self) -> Process:
        return Process("-m", "cone.worker", log=self._log)

    def tend(self) -> None:
        """Bring back what ended."""
        if self._server.has_died():
            self._server.restart()
        self._workers = [self._start() if worker.has_ended() else worker for worker in self._workers]

    def kill(self, what: str, chance: random.Random) -> None:
        """SIGKILL."""
        if what == "database":
            os.kill(self._server.process_id, 9)
        else:
            chance.choice(self._workers).kill()
        self.kills[what] += 1

    def is_at_work(self) -> bool:
        """Whether all workers listen: who is killed while it starts only delays the run."""
        try:
            with psycopg.connect(self._server.dsn, autocommit=True) as database:
                row = database.execute(_LISTENING).fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and row[0] >= _WORKERS

    def said(self) -> str:
        """The end of what the workers have written, to go below a message."""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(self._log.tell() - 2000, 0))
        return f" The workers' log ends with:\n{self._log.read().decode(errors='replace')}"

    def stop(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.stop()


def run(order: Order) -> dict[str, object]:
    """Everything a cell does, and its figures."""
    cell = next(each for each in CELLS if each.name == order.cell)
    os.environ.update(
        QUICKBOOKS_REQUEST_TIMEOUT_SECONDS=str(30 // SPEED),
        QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS=str(-(-130 // SPEED)),
        CONE_REQUEST_IDS_LIVE_MINUTES="0" if cell.is_blinded else str(60 // SPEED),
    )
    began = time.monotonic_ns()
    with (
        running_emulator("--country", "GB", "--no-limits", "--clock-behind", str(_BEHIND_SECONDS)) as emulator,
        prepared_books(emulator.url, _SETTINGS, template=Path(order.template)) as server,
    ):
        from bench.faults.chaos import Chaos  # noqa: PLC0415  # after django.setup()

        opened = [emulator.ask("POST", "companies", {"scenario": "uk-vat"}) for _ in range(order.firms)]
        realms = [str(company["realm_id"]) for company in opened]
        # Accounts and codes were there long before: blinded look-ups see them.
        emulator.ask("POST", "clock", {"jump_seconds": LONG_SECONDS, "speed": SPEED})
        firms = _open_firms(emulator, order, realms)
        before = {firm.realm_id: _list_there(emulator, firm.realm_id) for firm in firms}
        planted = _plant_namesakes(emulator, firms)
        chaos = Chaos(f"{order.seed} chaos", emulator, cell, [firm.realm_id for firm in firms])
        chaos.begin()
        prepared = time.monotonic_ns()
        with _running_household(server) as household:
            did = _work(order, firms, household, chaos)
            worked = time.monotonic_ns()
            chaos.end()
            is_quiet = _settle(order, firms, household, chaos)
            unsettled = _list_unsettled()
            settled = time.monotonic_ns()
            report = compare(read_ours(server.dsn), read_theirs(emulator.url, before, planted))
        return {
            "cell": cell.name,
            "seed": order.seed,
            **report.to_figures(),
            "faults": chaos.struck.total,
            "kills": sum(household.kills.values()),
            "is_quiet": is_quiet,
            "unsettled": unsettled,
            "faults_by_kind": dict(sorted(chaos.struck.by_kind.items())),
            "kills_by_kind": dict(household.kills),
            "did": dict(sorted(did.items())),
            "seconds": (time.monotonic_ns() - began) // 10**9,
            "seconds_by_phase": {
                "preparing": (prepared - began) // 10**9,
                "working": (worked - prepared) // 10**9,
                "settling": (settled - worked) // 10**9,
            },
        }


@contextmanager
def _running_household(server: EmbeddedPostgres) -> Iterator[Household]:
    with tempfile.TemporaryFile() as log:
        household = Household(server, log)
        try:
            yield household
        finally:
            household.stop()
            if keep := os.environ.get("CONE_BENCH_LOG"):
                log.seek(0)
                Path(keep).write_bytes(log.read())


def _open_firms(emulator: Emulator, order: Order, realms: Sequence[str]) -> "list[Firm]":
    from bench.faults.firm import open_firm  # noqa: PLC0415  # after django.setup()
    from bench.firms import make_customers, make_invoices, want  # noqa: PLC0415  # as above

    chance = random.Random(f"{order.seed} firms")  # noqa: S311  # a repeatable run, not a secret
    firms = []
    for place, realm_id in enumerate(realms):
        firm = open_firm(emulator, realm_id, policy=_POLICIES[place % len(_POLICIES)], chance=chance)
        active = firm.find_connection()
        if active is None:
            raise SystemExit("A firm could not be connected.")
        customers = make_customers(firm.actor, max(order.backlog_each // 8, 2))
        invoices = make_invoices(firm.actor, customers, order.backlog_each)
        want(active, "customer", customers)
        want(active, "invoice", invoices)
        firm.customers += [customer.uuid for customer in customers]
        firm.invoices += [invoice.uuid for invoice in invoices]
        firms.append(firm)
    return firms


def _plant_namesakes(emulator: Emulator, firms: "Sequence[Firm]") -> dict[str, dict[str, list[str]]]:
    """What the firms had there themselves, of names that Cone's have, by company and entity."""
    from bench.faults.namesakes import let_grow_old, plant  # noqa: PLC0415  # after django.setup()

    planted = {firm.realm_id: plant(emulator, firm, has_item=bool(place % 2)) for place, firm in enumerate(firms)}
    let_grow_old(emulator)
    return planted


def _list_there(emulator: Emulator, realm_id: str) -> dict[str, list[str]]:
    """What a company's books held before anything was sent."""
    found = emulator.ask("GET", f"dump?realm_id={realm_id}&form=stored")["companies"][0]["entities"]  # type: ignore[index]  # plain JSON
    return {name: [record["Id"] for record in records if "Id" in record] for name, records in found.items()}


def _work(order: Order, firms: "Sequence[Firm]", household: Household, chaos: "Chaos") -> Counter[str]:
    """Everything at once, for as long as ordered: people in threads, chaos and kills from here."""
    from bench.faults.users import User  # noqa: PLC0415  # after django.setup()

    has_ended = threading.Event()
    pause = Decimal(order.pause_ms) / 1000
    people = [
        User(f"{order.seed} {place}", firms, pause_seconds=pause, has_ended=has_ended) for place in range(order.people)
    ]
    threads = [threading.Thread(target=person.run, daemon=True) for person in people]
    chance = random.Random(f"{order.seed} kills")  # noqa: S311  # a repeatable run, not a secret
    kills = ["worker"] * order.worker_kills + ["database"] * order.database_kills
    moments = sorted((chance.randrange(order.seconds * 1000), what) for what in kills)
    _tend_until(household.is_at_work, household, "The workers didn't begin")
    began = time.monotonic_ns()
    next_step = 2500
    for thread in threads:
        thread.start()
    while (at := (time.monotonic_ns() - began) // 10**6) < order.seconds * 1000 or moments:
        household.tend()
        if at >= (order.seconds + _PATIENCE_SECONDS) * 1000:
            raise SystemExit(
                f"The workers didn't begin again: {len(moments)} were still to be killed.{household.said()}"
            )
        if moments and at >= moments[0][0] and household.is_at_work():
            household.kill(moments.pop(0)[1], chance)
        if at >= next_step:
            chaos.step()
            next_step += 2500
        time.sleep(_TICK_SECONDS)
    has_ended.set()
    _tend_until(lambda: not any(thread.is_alive() for thread in threads), household, "People didn't come to an end")
    return sum((person.did for person in people), start=Counter())


def _tend_until(is_so: Callable[[], bool], household: Household, otherwise: str) -> None:
    until = time.monotonic_ns() + _PATIENCE_SECONDS * 10**9
    while not is_so():
        if time.monotonic_ns() >= until:
            raise SystemExit(f"{otherwise} within {_PATIENCE_SECONDS} s.{household.said()}")
        household.tend()
        time.sleep(_TICK_SECONDS)


def _settle(order: Order, firms: "Sequence[Firm]", household: Household, chaos: "Chaos") -> bool:
    """Let it come to rest: people bring their firms to work and press Sync now, twice; whether it came to rest."""
    until = time.monotonic_ns() + order.settle_seconds * 10**9
    for _ in range(2):
        waiting = list(firms)
        while waiting or not (chaos.is_over() and _is_quiet()):
            if time.monotonic_ns() >= until:
                return False
            household.tend()
            waiting = [firm for firm in waiting if not _bring_to_work(firm)]
            # Tokens may still turn out to have been refused.
            waiting += [firm for firm in firms if firm not in waiting and firm.is_cut_off()]
            time.sleep(1 / 4)
    return True


def _bring_to_work(firm: "Firm") -> bool:
    from django.db import Error  # noqa: PLC0415  # after django.setup()
    from django.db import connection as database  # noqa: PLC0415  # as above

    from cone.domain.errors import RefusalError  # noqa: PLC0415  # as above
    from cone.operations.sync_now import sync_all  # noqa: PLC0415  # as above

    try:
        if not firm.ensure_running():
            return False
        firm.send_what_was_made_apart()
        sync_all(firm.actor)
    except (RefusalError, Error):
        database.close()
        return False
    return True


def _is_quiet() -> bool:
    """Whether no record will move by itself any more."""
    from django.db import connection as database  # noqa: PLC0415  # after django.setup()

    with database.cursor() as cursor:
        cursor.execute(
            "select not exists (select from books_outboxrow where state <> 'blocked' and waits_for_uuid is null)"
        )
        found: bool = cursor.fetchone()[0]
        return found


_UNSETTLED = """
select format('connection %s (%s%s%s): %s %s rows, tries %s, due in %s s; %s attempts unknown, sent %s times; %s', k.id,
    k.state, case when k.paused_at is null then '' else ', paused' end,
    case when k.reads_not_before > now() or k.is_allowance_used then ', allowance used up' else '' end,
    count(*), o.state, max(o.tries),
    extract(epoch from max(greatest(o.not_before, k.not_before)) - now())::int, count(a.id), max(a.sends),
    max(left(a.message, 60)))
from books_outboxrow o join books_connection k on k.company_id = o.company_id and k.state <> 'disconnected'
left join books_attempt a on a.record_uuid = o.record_uuid and a.state = 'unknown'
where o.state <> 'blocked' and o.waits_for_uuid is null
group by k.id, o.state order by k.id
"""


def _list_unsettled() -> list[str]:
    from django.db import connection as database  # noqa: PLC0415  # after django.setup()

    with database.cursor() as cursor:
        cursor.execute(_UNSETTLED)
        return [row[0] for row in cursor.fetchall()]


def main() -> None:
    """Read the order, run it, print the figures."""
    signal.signal(signal.SIGTERM, _stop)
    print(json.dumps(run(Order(**json.loads(sys.argv[1])))))


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """What was started is stopped on the way out."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
