"""Looks what stands there of what was sent, or is about to be: by business keys, then by mark. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cone.accounting.attempts import Attempt, Fence
from cone.accounting.candidates import Undecided, is_made_since, judge
from cone.accounting.database import Database
from cone.accounting.errands import Tools
from cone.accounting.names import is_same_name
from cone.accounting.port.documents import Document, RemoteRecord
from cone.accounting.port.provider import Access, WireRequest
from cone.accounting.port.sent import SentRecord
from cone.accounting.sql import attempts as attempts_sql
from cone.accounting.sql import records as records_sql
from cone.accounting.verify import is_certainly

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands there that an attempt may have made, not judged yet."""

    attempt: Attempt
    sent: SentRecord
    records: tuple[RemoteRecord, ...]
    sent_at: datetime | None


class Looker:
    """Looks for one lane. What asks the provider raises its verdicts."""

    def __init__(self, *, fence: Fence, tools: Tools) -> None:
        self._fence = fence
        self._tools = tools
        # Of each item whose change arrived the number of that, in their order.
        self._changed: dict[str, int] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """How many changes of items arrived by now: asked for before a look, for `is_outdated`."""
        return self._changes

    def note_change(self, remote_id: str) -> None:
        """An item was changed by us: what looks that are under way show of it is as it was before."""
        self._changes += 1
        self._changed[remote_id] = self._changes

    def is_outdated(self, found: RemoteRecord, *, changes: int) -> bool:
        """Whether what a look found, that began after so many changes, is an item that was changed since."""
        return found.kind == "service" and self._changed.get(found.remote_id, 0) > changes

    async def find(self, access: Access, document: Document) -> RemoteRecord | None:
        """The record there that is certainly this one."""
        found = await self._tools.client.find(access, document)
        if found is None or not is_certainly(document, found):
            return None
        async with self._tools.pool.connection() as database:
            return None if await self._is_anothers(database, document.uuid, found) else found

    async def look(
        self, access: Access, attempt: Attempt, *, sent_at: datetime | None
    ) -> RemoteRecord | Undecided | None:
        """What stands there of what this create may have made, by what was sent."""
        sent = self._tools.provider.read_sent(attempt.kind, attempt.request)
        found = await self._tools.client.list_candidates(access, sent, sent_at=sent_at or LONG_AGO)
        async with self._tools.pool.connection() as database:
            return await self.judge(database, Seen(attempt, sent, found, sent_at))

    async def look_for_all(
        self, access: Access, attempts: Sequence[Attempt], *, sent_at: datetime | None
    ) -> list[Seen]:
        """The same for many that were sent together, in as few requests as there can be."""
        sent = [self._tools.provider.read_sent(attempt.kind, attempt.request) for attempt in attempts]
        found = await self._tools.client.list_candidates_together(access, sent, sent_at=sent_at or LONG_AGO)
        return [Seen(*each, sent_at) for each in zip(attempts, sent, found, strict=True)]

    async def sees_any(self, access: Access, known: Sequence[Mapping[str, Any]]) -> bool:
        """Whether a look finds any of what is known to stand there: creates, each with its id there."""
        sent = [
            self._tools.provider.read_sent(row["kind"], WireRequest(row["request_line"], bytes(row["body"])))
            for row in known
        ]
        if not sent:
            return False
        found = await self._tools.client.list_candidates_together(access, sent, sent_at=LONG_AGO)
        return any(
            record.remote_id == row["remote_id"]
            for row, records in zip(known, found, strict=True)
            for record in records
        )

    async def sees_the_latest(self, access: Access) -> bool:
        """Whether a look finds any of what was made there last: one that finds nothing then says something."""
        async with self._tools.pool.connection() as database:
            values = {"company": self._fence.company_pk, "limit": _LATEST}
            known = await (await database.execute(attempts_sql.LATEST_MADE, values)).fetchall()
        for row in known:
            request = WireRequest(row["request_line"], bytes(row["body"]))
            sent = self._tools.provider.read_sent(row["kind"], request)
            found = await self._tools.client.list_candidates(access, sent, sent_at=LONG_AGO)
            if any(record.remote_id == row["remote_id"] for record in found):
                return True
        return False

    async def judge(self, database: Database, seen: Seen) -> RemoteRecord | Undecided | None:
        """Which of them it is; those that are another of ours by now can't be."""
        free = [one for one in seen.records if not await self._is_anothers(database, seen.attempt.uuid, one)]
        return judge(seen.sent, free, uuid=seen.attempt.uuid, sent_at=seen.sent_at)

    async def find_maker(
        self, database: Database, uuid: UUID, record: RemoteRecord, *, before: int | None
    ) -> UUID | None:
        """The service, other than this one, that an item which was found is about to follow, if any.

        Either its create, which is still out, may have made the item: it's archived, or called otherwise by now. Or the
        item is known to be its, and about to be renamed. `before` is this one's own create, where that is still out:
        the one sent first is told first.
        """
        if record.kind != "service":
            return None
        values = {"company": self._fence.company_pk, "uuid": uuid, "remote_id": record.remote_id, "before": before}
        for row in await (await database.execute(records_sql.MADE_FOR_ANOTHER_AND_DUE, values)).fetchall():
            if not is_same_name(row["name"], record.name):
                its: UUID = row["uuid"]
                return its
        for row in await (await database.execute(records_sql.OTHER_OPEN_ITEMS, values)).fetchall():
            sent = self._tools.provider.read_sent("service", WireRequest(row["request_line"], bytes(row["body"])))
            if is_same_name(sent.name, record.name) and is_made_since(record, row["started_at"]):
                maker: UUID = row["record_uuid"]
                return maker
        return None

    async def _is_anothers(self, database: Database, uuid: UUID, record: RemoteRecord) -> bool:
        values = {"company": self._fence.company_pk, "kind": record.kind, "remote_id": record.remote_id, "uuid": uuid}
        if await (await database.execute(records_sql.LINKED_ELSEWHERE, values)).fetchall():
            return True
        if record.kind != "customer":
            return False
        # Two of our customers may share name and address; only one of them can be the one there, and it may be the one
        # whose answer is still out.
        for row in await (await database.execute(records_sql.OTHER_OPEN_CUSTOMERS, values)).fetchall():
            sent = self._tools.provider.read_sent("customer", WireRequest(row["request_line"], bytes(row["body"])))
            if is_same_name(sent.name, record.name):
                return True
        return False
