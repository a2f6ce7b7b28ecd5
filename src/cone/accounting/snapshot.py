"""Reads everything a plan needs in one REPEATABLE READ snapshot: few statements, whatever the number of rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from cone.accounting.database import Database, Reader, fetch_all, reading
from cone.accounting.facts import components_from_json, facts_from_json
from cone.accounting.payment_records import read_applied, read_payment_methods, read_payments
from cone.accounting.port.company import CompanyFacts
from cone.accounting.port.documents import Address, CustomerDocument, Kind
from cone.accounting.port.provider import WireRequest
from cone.accounting.records import (
    GENERAL_SERVICE_NAME,
    InvoiceRecord,
    LineRecord,
    LinkState,
    MappedCode,
    OpenAttempt,
    PaymentRecord,
    Record,
    Row,
    ServiceRecord,
    Situation,
    Subject,
    TakingBack,
    general_service_uuid,
)
from cone.accounting.sql import lane as lane_sql
from cone.accounting.sql import records as records_sql
from cone.accounting.taken import read_taken
from cone.accounting.verify import read_expected
from cone.kit.money import round_amount


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The situation and the due rows. `may_send` is False while paused, held back, or no longer connected.

    `lane_epoch` is whose lane it is now: a lane of another epoch must stop.
    """

    lane_epoch: int
    situation: Situation
    subjects: tuple[Subject, ...]
    may_send: bool


async def read_snapshot(  # the lane's own reading glass: each says what is to be left out
    database: Database,
    *,
    connection_id: int,
    limit: int,
    lowest_priority: int,
    request_timeout: timedelta,
    busy: Sequence[int] = (),
    former: Situation | None = None,
) -> Snapshot:
    """Read up to `limit` due rows but the busy ones, and what they're planned by.

    With them come their records, links and open attempts, and the connection's settings; of the `former` situation what
    can't have changed since is taken over.
    """
    async with reading(database):
        head, situation = await read_situation(database, connection_id, former=former)
        may_send = head["state"] == "connected" and not head["is_paused"] and not head["must_wait"]
        if not may_send:
            return Snapshot(lane_epoch=head["lane_epoch"], situation=situation, subjects=(), may_send=False)
        rows = await fetch_all(
            database,
            lane_sql.DUE_ROWS,
            {
                "company": head["company_id"],
                "limit": limit,
                "lowest_priority": lowest_priority,
                "timeout": request_timeout,
                "busy": list(busy),
            },
        )
        situation, subjects = await read_subjects(database, rows, head, situation)
    return Snapshot(lane_epoch=head["lane_epoch"], situation=situation, subjects=subjects, may_send=True)


async def read_situation(
    reader: Reader, connection_id: int, *, former: Situation | None = None
) -> tuple[Mapping[str, Any], Situation]:
    """The connection's row, and the situation without what records refer to."""
    head = await _one(reader, lane_sql.SITUATION, {"connection": connection_id})
    if former is not None and former.settings_revision == head["settings_revision"]:
        situation = _situation(head, former.facts, former.tax_codes)
        return head, replace(
            situation, inactive_accounts=former.inactive_accounts, inactive_items=former.inactive_items
        )
    codes = await fetch_all(reader, lane_sql.TAX_CODES, {"connection": connection_id})
    inactive = await fetch_all(reader, lane_sql.INACTIVE, {"connection": connection_id})
    return head, replace(
        _situation(head, facts_from_json(head["facts"]), _tax_codes(codes)),
        inactive_accounts={row["remote_id"]: row["name"] for row in inactive if row["kind"] == "account"},
        inactive_items={row["remote_id"]: row["name"] for row in inactive if row["kind"] == "item"},
    )


async def read_subjects(
    reader: Reader, rows: Sequence[Mapping[str, Any]], head: Mapping[str, Any], situation: Situation
) -> tuple[Situation, tuple[Subject, ...]]:
    """What the rows are about, and the situation with what their records refer to."""
    records = await _read_records(reader, rows, head)
    methods = {}
    if any(isinstance(record, PaymentRecord) for record in records.values()):
        methods = await read_payment_methods(reader, head["id"])
    linked, currencies = await _read_linked(reader, head["company_id"], records.values())
    numbers, names = await read_taken(reader, head["company_id"], records.values())
    known = replace(
        situation,
        linked=linked,
        customer_currencies=currencies,
        payment_methods=methods,
        taken_numbers=numbers,
        taken_names=names,
    )
    return known, tuple(_subject(row, records.get((row["kind"], row["record_uuid"]))) for row in rows)


async def _one(database: Reader, statement: str, values: Mapping[str, object]) -> dict[str, Any]:
    row = await (await database.execute(statement, values)).fetchone()
    if row is None:
        raise LookupError("the connection's row is gone")
    return row


def _tax_codes(codes: Iterable[Mapping[str, Any]]) -> dict[UUID, MappedCode]:
    return {
        code["uuid"]: MappedCode(
            remote_id=code["remote_id"],
            name=code["remote_name"],
            is_active=code["is_active"],
            components=components_from_json(code["components"]),
        )
        for code in codes
    }


def _situation(head: Mapping[str, Any], facts: CompanyFacts, tax_codes: Mapping[UUID, MappedCode]) -> Situation:
    return Situation(
        connection_id=head["id"],
        company_pk=head["company_id"],
        workspace_uuid=head["workspace_uuid"],
        remote_company_id=head["company_id_remote"],
        settings_revision=head["settings_revision"],
        sends_batches_only=head["backlog_pace"] == "batches",
        facts=facts,
        deposit_account_id=head["deposit_account_id"],
        deposit_account_name=head["deposit_account_name"],
        is_deposit_account_active=head["is_deposit_account_active"],
        income_account_id=head["income_account_id"],
        connected_at=head["connected_at"],
        reads_held_for=head["reads_held_for"],
        is_throttled=head["is_throttled"],
        ids_live_for=settings.REQUEST_IDS_LIVE_FOR,
        tax_codes=tax_codes,
        linked={},
        removal_policy=head["removal_policy"],
        name_policy=head["name_policy"],
        is_tax_ours=head["tax_source"] == "ours",
    )


async def _read_records(
    database: Reader, rows: Sequence[Mapping[str, Any]], head: Mapping[str, Any]
) -> dict[tuple[Kind, UUID], Record]:
    """The rows' records, of the connection's own workspace only: another's is as good as gone."""
    workspace, general = head["workspace_id"], general_service_uuid(head["workspace_uuid"])
    uuids: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        uuids[row["kind"]].append(row["record_uuid"])
    records: dict[tuple[Kind, UUID], Record] = {}
    if wanted := uuids.get("customer"):
        values = {"uuids": wanted, "workspace": workspace, "company": head["company_id"]}
        for row in await fetch_all(database, records_sql.CUSTOMERS, values):
            records["customer", row["uuid"]] = _customer(row)
    if wanted := uuids.get("service"):
        values = {"uuids": wanted, "workspace": workspace, "connection": head["id"]}
        for row in await fetch_all(database, records_sql.SERVICES, values):
            records["service", row["uuid"]] = ServiceRecord(**row)
        if general in wanted:
            records["service", general] = ServiceRecord(
                uuid=general, revision=1, name=GENERAL_SERVICE_NAME, description="", unit_price=Decimal(0)
            )
    if wanted := uuids.get("invoice"):
        for invoice in await _read_invoices(database, wanted, head, general=general):
            records["invoice", invoice.uuid] = invoice
    if wanted := uuids.get("payment"):
        for payment in await read_payments(database, wanted, company=head["company_id"], workspace=workspace):
            records["payment", payment.uuid] = payment
    return records


async def _read_invoices(
    database: Reader, uuids: list[UUID], head: Mapping[str, Any], *, general: UUID
) -> list[InvoiceRecord]:
    workspace = head["workspace_id"]
    values = {"uuids": uuids, "workspace": workspace}
    heads = await fetch_all(database, records_sql.INVOICES, values)
    currencies = {each["uuid"]: each["currency"] for each in heads}
    lines: dict[UUID, list[LineRecord]] = defaultdict(list)
    for row in await fetch_all(database, records_sql.LINES, values):
        invoice_uuid = row.pop("invoice_uuid")
        _shorten(row, ("amount", "net"), currencies[invoice_uuid])
        row["service_uuid"] = general if head["item_mode"] == "one" else row["service_uuid"] or general
        row["service_name"] = row["service_name"] or GENERAL_SERVICE_NAME
        lines[invoice_uuid].append(LineRecord(**row))
    for each in heads:
        _shorten(each, ("net", "tax", "total"), each["currency"])
    applied = await read_applied(database, uuids, company=head["company_id"], workspace=workspace)
    return [
        InvoiceRecord(**each, lines=tuple(lines[each["uuid"]]), applied=applied.get(each["uuid"], ())) for each in heads
    ]


def _shorten(row: dict[str, Any], columns: Sequence[str], currency: str) -> None:
    """Columns hold four decimals for every currency; the figures in them are whole minor units already."""
    for column in columns:
        row[column] = round_amount(row[column], currency)


def _customer(row: Mapping[str, Any]) -> CustomerDocument:
    return CustomerDocument(
        uuid=row["uuid"],
        revision=row["revision"],
        name=row["name"],
        own_name=row["own_name"],
        email=row["email"],
        phone=row["phone"],
        tax_number=row["tax_number"],
        address=Address(
            line1=row["address_line1"],
            line2=row["address_line2"],
            city=row["city"],
            region=row["region"],
            postal_code=row["postal_code"],
            country=row["country"],
        ),
        currency=row["currency"],
        notes=row["notes"],
    )


async def _read_linked(
    database: Reader, company_pk: int, records: Iterable[Record]
) -> tuple[dict[tuple[Kind, UUID], str], dict[UUID, str]]:
    uuids: set[UUID] = set()
    for record in records:
        if isinstance(record, InvoiceRecord):
            uuids.add(record.customer_uuid)
            uuids.update(line.service_uuid for line in record.lines)
        elif isinstance(record, PaymentRecord):
            uuids.add(record.customer_uuid)
    if not uuids:
        return {}, {}
    found = await fetch_all(database, records_sql.LINKED, {"company": company_pk, "uuids": list(uuids)})
    linked = {(row["kind"], row["record_uuid"]): row["remote_id"] for row in found}
    return linked, {row["record_uuid"]: row["currency"] for row in found if row["currency"]}


def _subject(row: Mapping[str, Any], record: Record | None) -> Subject:
    link = None
    if row["remote_id"] is not None:
        link = LinkState(
            remote_id=row["remote_id"],
            remote_version=row["remote_version"],
            synced_revision=row["synced_revision"],
            is_equal=row["is_equal"],
            standing=row["standing"],
            is_made_here=row["is_made_here"],
        )
    attempt = None
    if row["attempt_id"] is not None:
        attempt = OpenAttempt(
            id=row["attempt_id"],
            operation=row["operation"],
            revision=row["attempt_revision"],
            request=WireRequest(line=row["request_line"], body=bytes(row["body"])),
            request_id=row["request_id"],
            expected=read_expected(row["expected"]),
            sends=row["sends"],
            age_seconds=row["attempt_age"],
            silent_seconds=row["attempt_silence"],
            batch_id=row["batch_id"],
            batch_place=row["batch_place"],
            started_at=row["started_at"],
        )
    return Subject(
        row=Row(
            id=row["id"],
            kind=row["kind"],
            uuid=row["record_uuid"],
            wanted_revision=row["wanted_revision"],
            priority=row["priority"],
            tries=row["tries"],
            last_generation=row["last_generation"],
            may_have_arrived=row["may_have_arrived"],
            is_in_scope=row["is_in_scope"],
            take_back=TakingBack(**row["take_back"]) if row["take_back"] else None,
        ),
        record=record,
        link=link,
        attempt=attempt,
    )
