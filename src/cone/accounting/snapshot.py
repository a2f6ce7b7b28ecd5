"""Reads everything a plan needs in one statement, hence in one snapshot of the books, whatever the number of rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec
from django.conf import settings

from cone.accounting.attempts import Fence
from cone.accounting.database import Reader
from cone.accounting.facts import as_json, components_from_json, facts_from_json
from cone.accounting.port.documents import CustomerDocument, Kind, Namesake
from cone.accounting.port.provider import WireRequest
from cone.accounting.records import (
    GENERAL_SERVICE_NAME,
    InvoiceRecord,
    LinkState,
    MappedCode,
    OpenAttempt,
    Patience,
    PaymentRecord,
    Record,
    Row,
    ServiceRecord,
    Situation,
    Subject,
)
from cone.accounting.sql import lane as lane_sql
from cone.accounting.verify import read_expected


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The situation and the due rows. `may_send` is False while paused, held back, or no longer connected.

    `lane_epoch` is whose lane it is now: a lane of another epoch must stop. `services` are, by their uuids, those that
    the rows refer to and that aren't there yet, the general one in any case.
    """

    lane_epoch: int
    situation: Situation
    subjects: tuple[Subject, ...]
    services: Mapping[UUID, ServiceRecord]
    may_send: bool


class _StoredAttempt(msgspec.Struct):
    """An open attempt as the look tells it; `expected` is one of two shapes, told apart by its reader."""

    id: int
    operation: Literal["create", "update", "void", "delete"]
    revision: int
    line: str
    body: bytes
    request_id: str
    expected: dict[str, Any] | None
    sends: int
    age_seconds: int
    silent_milliseconds: int
    batch_id: int | None
    batch_place: int | None
    started_at: datetime


class _DueRow(msgspec.Struct):
    row: Row
    link: LinkState | None
    attempt: _StoredAttempt | None


class _Linked(msgspec.Struct):
    kind: Kind
    uuid: UUID
    remote_id: str
    currency: str
    moved_by: UUID | None


class _NumberTaken(msgspec.Struct):
    number: str
    uuid: UUID


class _NameTaken(msgspec.Struct):
    name: str
    uuid: UUID
    remote_id: str
    version: str


class _Look(msgspec.Struct):
    """What `sql.look` tells."""

    due: list[_DueRow]
    customers: list[CustomerDocument]
    services: list[ServiceRecord]
    invoices: list[InvoiceRecord]
    payments: list[PaymentRecord]
    methods: dict[str, str]
    linked: list[_Linked]
    numbers_taken: list[_NumberTaken]
    names_taken: list[_NameTaken]

    def records(self) -> dict[tuple[Kind, UUID], Record]:
        """What the rows are about."""
        found: dict[tuple[Kind, UUID], Record] = {}
        found |= {("customer", one.uuid): one for one in self.customers}
        found |= {("service", one.uuid): one for one in self.services}
        found |= {("invoice", one.uuid): one for one in self.invoices}
        found |= {("payment", one.uuid): one for one in self.payments}
        return found


_look = msgspec.json.Decoder(_Look)


async def read_snapshot(  # the lane's own reading glass: each says what is to be left out
    database: Reader,
    *,
    fence: Fence,
    general_service: UUID,
    limit: int,
    lowest_priority: int,
    patience: Patience,
    busy: Sequence[int] = (),
    former: Situation | None = None,
) -> Snapshot:
    """Read up to `limit` due rows but the busy ones, and what they're planned by.

    With them come their records, links and open attempts, and the connection's settings; of the `former` situation what
    can't have changed since is taken over.
    """
    return await read_subjects(
        database,
        lane_sql.LOOK,
        {
            "connection": fence.connection_id,
            "company": fence.company_pk,
            "general": general_service,
            "limit": limit,
            "lowest_priority": lowest_priority,
            "timeout": patience.request_timeout,
            "looks_count_after": patience.looks_count_after,
            "busy": list(busy),
        },
        former=former,
    )


async def read_next_due(database: Reader, *, fence: Fence, patience: Patience, busy: Sequence[int]) -> timedelta | None:
    """How long until something is due but the busy rows: none if it is by now, None where nothing waits for a time."""
    values = {"connection": fence.connection_id, "busy": list(busy)}
    waits = {"timeout": patience.request_timeout, "looks_count_after": patience.looks_count_after}
    row = await (await database.execute(lane_sql.NEXT_DUE, {**values, **waits})).fetchone()
    if row is None or row["milliseconds"] is None:
        return None
    return max(timedelta(milliseconds=row["milliseconds"]), timedelta())


async def read_subjects(
    reader: Reader, statement: str, values: Mapping[str, Any], *, former: Situation | None = None
) -> Snapshot:
    """What a statement of `sql.look` finds: rows with all that a plan for them needs.

    Its `values` are "connection", "company", "general" (the uuid of the item that lines without a service post to) and
    those of the rows. Raises LookupError when the connection is gone.
    """
    known = {"known_settings": former.settings_revision if former else None, "general_name": GENERAL_SERVICE_NAME}
    head = await (await reader.execute(statement, {**values, **known})).fetchone()
    if head is None:
        raise LookupError("the connection's row is gone")
    look = _look.decode(head["look"])
    records, services = look.records(), {one.uuid: one for one in look.services}
    general = _general_service(values["general"], revision=head["settings_revision"])
    records["service", general.uuid] = services[general.uuid] = general
    return Snapshot(
        lane_epoch=head["lane_epoch"],
        situation=_situation(head, look, former),
        subjects=tuple(_subject(one, records.get((one.row.kind, one.row.uuid))) for one in look.due),
        services=services,
        may_send=head["state"] == "connected" and not head["is_paused"] and not head["must_wait"],
    )


def _general_service(uuid: UUID, *, revision: int) -> ServiceRecord:
    """It's what the settings say, so it's in their revision."""
    return ServiceRecord(uuid=uuid, revision=revision, name=GENERAL_SERVICE_NAME, description="", unit_price=Decimal(0))


def _tax_codes(codes: Iterable[Mapping[str, Any]]) -> dict[UUID, MappedCode]:
    return {
        UUID(code["uuid"]): MappedCode(
            remote_id=code["remote_id"],
            name=code["remote_name"],
            is_active=code["is_active"],
            components=components_from_json(code["components"]),
        )
        for code in codes
    }


def _names_of(kind: str, entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {entry["remote_id"]: entry["name"] for entry in entries if entry["kind"] == kind}


def _situation(head: Mapping[str, Any], look: _Look, former: Situation | None) -> Situation:
    known = former if former and former.settings_revision == head["settings_revision"] else None
    inactive = head["inactive"] or ()
    return Situation(
        connection_id=head["id"],
        company_pk=head["company_id"],
        workspace_uuid=head["workspace_uuid"],
        own_currency=head["own_currency"],
        remote_company_id=head["company_id_remote"],
        settings_revision=head["settings_revision"],
        sends_batches_only=head["backlog_pace"] == "batches",
        facts=known.facts if known else facts_from_json(as_json(head["facts"])),
        deposit_account_id=head["deposit_account_id"],
        deposit_account_name=head["deposit_account_name"],
        is_deposit_account_active=head["is_deposit_account_active"],
        income_account_id=head["income_account_id"],
        connected_at=head["connected_at"],
        reads_held_for=head["reads_held_for"],
        try_now_at=head["try_now_at"],
        is_throttled=head["is_throttled"],
        ids_live_for=settings.REQUEST_IDS_LIVE_FOR,
        tax_codes=known.tax_codes if known else _tax_codes(head["tax_codes"] or ()),
        inactive_accounts=known.inactive_accounts if known else _names_of("account", inactive),
        inactive_items=known.inactive_items if known else _names_of("item", inactive),
        # They change without the settings: each day's reading of the lists leaves those as they are.
        missing_items=frozenset(name.strip().lower() for name in head["missing_items"]),
        linked={(one.kind, one.uuid): one.remote_id for one in look.linked},
        customer_currencies={one.uuid: one.currency for one in look.linked if one.currency},
        moving_items={one.uuid: one.moved_by for one in look.linked if one.moved_by},
        payment_methods=look.methods,
        taken_numbers=_numbers_taken(look),
        taken_names={
            one.name.lower(): (Namesake("customer", one.remote_id, one.version, one.name, obstacle="ours"), one.uuid)
            for one in look.names_taken
        },
        removal_policy=head["removal_policy"],
        name_policy=head["name_policy"],
        is_tax_ours=head["tax_source"] == "ours",
    )


def _numbers_taken(look: _Look) -> dict[str, UUID]:
    """Numbers that another record of ours is known to have there, and which one."""
    if not look.numbers_taken:
        return {}
    mine = {(one.number, one.uuid) for one in look.invoices}
    return {one.number: one.uuid for one in look.numbers_taken if (one.number, one.uuid) not in mine}


def _subject(due: _DueRow, record: Record | None) -> Subject:
    attempt, stored = None, due.attempt
    if stored is not None:
        attempt = OpenAttempt(
            id=stored.id,
            operation=stored.operation,
            revision=stored.revision,
            request=WireRequest(line=stored.line, body=stored.body),
            request_id=stored.request_id,
            expected=read_expected(stored.expected),
            sends=stored.sends,
            age_seconds=stored.age_seconds,
            silence=timedelta(milliseconds=stored.silent_milliseconds),
            batch_id=stored.batch_id,
            batch_place=stored.batch_place,
            started_at=stored.started_at,
        )
    return Subject(row=due.row, record=record, link=due.link, attempt=attempt)
