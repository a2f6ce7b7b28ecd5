"""Reads what a preview foresees: everything that waits, or existing invoices since a date with what they need.

It reads with a lane's own statements on the page's connection, a thousand records at a time. No snapshot holds the
parts together: what changes meanwhile may be foreseen either way, and nothing is decided by it.
"""

import json
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import chain
from types import coroutine
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection

from cone.accounting.overview import EXISTING, PAYMENTS_OF_EXISTING, existing_values
from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.provider import Provider
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.preview.outlook import Key, NamesToBe, as_if_sent, assume, foresee, references_of
from cone.accounting.preview.values import Action, Outlook
from cone.accounting.records import Situation, general_service_uuid
from cone.accounting.registry import get_provider
from cone.accounting.snapshot import Snapshot, read_subjects
from cone.accounting.sql import preview as preview_sql
from cone.books.models import Connection
from cone.domain.kinds import WAVES

Result = TypeVar("Result")

_AT_ONCE = 1000
_JSONB = 3802

_EXISTING_PART = f"""
select i.id, i.uuid, i.issue_date {EXISTING}
    and (i.issue_date, i.id) > (%(after_date)s, %(after_id)s)
order by i.issue_date, i.id
limit %(limit)s
"""


_PAYMENTS_PART = f"""
select p.id, p.uuid {PAYMENTS_OF_EXISTING} and p.id > %(after_id)s order by p.id limit %(limit)s
"""


class _Found:
    """What a statement finds; the database is waited for when it's asked for."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def fetchone(self) -> dict[str, Any] | None:
        await _pause()
        return next(iter(self.rows), None)

    async def fetchall(self) -> list[dict[str, Any]]:
        await _pause()
        return self.rows

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows by the names of their columns; jsonb as values, which Django's cursors give as text."""
        with self._cursor:
            found = self._cursor.fetchall()
            columns = self._cursor.description or ()
        names = [column.name for column in columns]
        rows = [dict(zip(names, row, strict=True)) for row in found]
        for name in (column.name for column in columns if column.type_code == _JSONB):
            for row in rows:
                row[name] = json.loads(row[name]) if isinstance(row[name], str) else row[name]
        return rows


class PageReader:
    """The page's own connection as a reader. It never waits for anything but the database, so `read_now` can run it."""

    async def execute(self, query: str, params: Mapping[str, Any], /) -> _Found:
        """Run a reading statement; in a pipeline it's sent, and runs while something else is done here."""
        cursor = connection.cursor()
        cursor.execute(query, dict(params))
        return _Found(cursor)


@coroutine
def _pause() -> Generator[None, None, None]:
    """Where a `Reading` stops until what it found is asked for."""
    yield


def read_now(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that reads by a `PageReader`: it has nothing else to wait for, so no event loop is needed."""
    try:
        while work.send(None) is None:
            pass
    except StopIteration as done:
        result: Result = done.value
        return result
    raise RuntimeError("reading on the page's connection waits for the database alone")


class Reading(Generic[Result]):
    """A coroutine that asks a `PageReader` something, begun: its statement is sent."""

    def __init__(self, work: Coroutine[Any, Any, Result]) -> None:
        work.send(None)
        self._work = work

    @cached_property
    def found(self) -> Result:
        """What it comes to; waited for if it isn't there yet."""
        return read_now(self._work)


class Foreseer:
    """Foresees records in parts. What others refer to is foreseen before them, once."""

    def __init__(self, active: Connection) -> None:
        self._active = active
        self._reader = PageReader()
        self._provider: Provider = get_provider(active.provider)
        self._general_service = general_service_uuid(active.workspace.uuid)
        self._situation: Situation | None = None
        # Of what isn't linked: all customers and services, and those invoices that can't go.
        self._foreseen: dict[Key, Outlook] = {}
        self._names = NamesToBe()
        self._moves: set[UUID] = set()
        self._since: date | None = None

    def waiting(self) -> Iterator[Outlook]:
        """Everything in the outbox, and what it refers to."""
        return self._foresee_each(self._looks_at_waiting(), self._stored_causes)

    def existing(self, from_date: date) -> Iterator[Outlook]:
        """Issued invoices from before the connection dated since then, what they refer to, and their payments."""
        self._since = from_date
        return self._foresee_each(self._looks_at_existing(from_date), lambda _: {})

    def _looks_at_waiting(self) -> Iterator[Reading[Snapshot]]:
        place, subjects = {"wave": 0, "id": 0}, None
        while subjects is None or len(subjects) == _AT_ONCE:
            look = self._begin_look(preview_sql.WAITING, {**place, "limit": _AT_ONCE})
            yield look
            subjects = look.found.subjects
            place = {"wave": WAVES[subjects[-1].row.kind], "id": subjects[-1].row.id} if subjects else place

    def _looks_at_existing(self, from_date: date) -> Iterator[Reading[Snapshot]]:
        values: dict[str, Any] = {**existing_values(self._active, from_date), "limit": _AT_ONCE}
        values |= {"after_date": from_date, "after_id": 0}
        while part := self._read(_EXISTING_PART, values):
            yield self._begin_look_as_if_wanted([("invoice", row["uuid"]) for row in part])
            values |= {"after_date": part[-1]["issue_date"], "after_id": part[-1]["id"]}
        values["after_id"] = 0
        while part := self._read(_PAYMENTS_PART, values):
            yield self._begin_look_as_if_wanted([("payment", row["uuid"]) for row in part])
            values["after_id"] = part[-1]["id"]

    def _foresee_each(
        self, looks: Iterator[Reading[Snapshot]], find_causes: Callable[[Snapshot], Mapping[int, Blocked]]
    ) -> Iterator[Outlook]:
        """Foresee part by part. While one is judged here, the database looks at the next."""
        look = next(looks, None)
        while look is not None:
            part = self._take(look)
            causes = find_causes(part)
            # What fails in a pipeline is told at its end, which Django doesn't see by itself.
            with connection.wrap_database_errors, connection.connection.pipeline():
                look = next(looks, None)
                outlooks = list(self._foresee(part, causes))
            yield from outlooks

    def _read(self, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        return read_now(self._reader.execute(query, values)).rows

    def _begin_look(self, statement: str, values: Mapping[str, object]) -> Reading[Snapshot]:
        ours = {"connection": self._active.pk, "company": self._active.company_id, "general": self._general_service}
        return Reading(read_subjects(self._reader, statement, {**ours, **values}, former=self._situation))

    def _begin_look_as_if_wanted(self, keys: Sequence[Key]) -> Reading[Snapshot]:
        values = {"kinds": [kind for kind, _ in keys], "uuids": [uuid for _, uuid in keys]}
        return self._begin_look(preview_sql.AS_IF_WANTED, values)

    def _take(self, look: Reading[Snapshot]) -> Snapshot:
        self._situation = look.found.situation
        return look.found

    def _stored_causes(self, part: Snapshot) -> Mapping[int, Blocked]:
        values = {"connection": self._active.pk, "rows": [subject.row.id for subject in part.subjects]}
        return {row["id"]: _stored(row) for row in self._read(preview_sql.STORED_CAUSES, values)}

    def _foresee(self, part: Snapshot, causes: Mapping[int, Blocked]) -> Iterator[Outlook]:
        references = {subject.row.id: references_of(subject.record) for subject in part.subjects}
        self._foresee_moves(part)
        missing = self._missing(part, references.values())
        if missing:
            yield from self._foresee(self._take(self._begin_look_as_if_wanted(missing)), {})
        assumed = assume(part.situation, self._names)
        for subject in part.subjects:
            outlook = foresee(
                as_if_sent(subject, assumed, since=self._since),
                assumed,
                self._provider,
                references=[
                    self._foreseen[key]
                    for key in _awaited(references[subject.row.id], part.situation)
                    if key in self._foreseen
                ],
                stored_cause=causes.get(subject.row.id),
            )
            self._names.note(outlook, subject.record)
            is_stuck = outlook.action in (Action.BLOCKED, Action.WAIT)
            # An item that's there may have to move before what refers to it.
            is_there = subject.link is not None and not (is_stuck and subject.row.kind == "service")
            if not is_there and (is_stuck or subject.row.kind in ("customer", "service")):
                self._foreseen[subject.row.kind, subject.row.uuid] = outlook
            yield outlook

    def _foresee_moves(self, part: Snapshot) -> None:
        """Foresee the items that existing invoices wait for because they move: these go by themselves, uncounted.

        Among everything that waits they come by themselves, before what refers to them.
        """
        moving = set(part.situation.moving_items.values()) - self._moves
        if self._since is None or not moving:
            return
        self._moves |= moving
        items = self._take(self._begin_look(preview_sql.ON_THEIR_WAY, {"uuids": list(moving)}))
        for _ in self._foresee(items, self._stored_causes(items)):
            pass

    def _missing(self, part: Snapshot, references: Iterable[Iterable[Key]]) -> list[Key]:
        """What these refer to that's neither there, nor foreseen, nor among them (and then before them)."""
        own: set[Key] = {(subject.row.kind, subject.row.uuid) for subject in part.subjects}
        wanted = dict.fromkeys(chain.from_iterable(references))
        known = own | self._foreseen.keys() | part.situation.linked.keys()
        # Invoices come before the payments of them; one that didn't isn't asked for.
        return [key for key in wanted if key not in known and key[0] != "invoice"]


def _awaited(references: Iterable[Key], situation: Situation) -> Iterator[Key]:
    """What a record waits for of what it refers to, or that moves it first."""
    for kind, uuid in references:
        if (kind, uuid) not in situation.linked:
            yield kind, uuid
        elif kind == "service" and uuid in situation.moving_items:
            yield kind, situation.moving_items[uuid]


def _stored(row: Mapping[str, Any]) -> Blocked:
    stored = row["cause"]
    return Blocked(CauseCode(stored["code"]), key=row["cause_key"], params=stored.get("params") or {})
