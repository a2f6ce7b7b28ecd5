"""How records stand: for lists in one query, for a record's own page with history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db import connection

from cone.accounting.allowance import read_allowance
from cone.accounting.candidates import list_stored
from cone.accounting.causes import PATIENT, describe, split_reference
from cone.accounting.connections import State
from cone.accounting.facts import as_json, as_kind
from cone.accounting.history import list_record_history
from cone.accounting.labels import is_general, label_records, name_way
from cone.accounting.outbox import find_active_connection
from cone.accounting.port.documents import Kind
from cone.accounting.port.provider import Provider
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.registry import get_provider
from cone.accounting.sql.standing import AWAITED
from cone.accounting.values import Awaited, CandidateView, Cause, RecordSync, SyncState
from cone.books.models import Connection, Link, OutboxRow, RemoteCompany

_ROWS = f"""
with recursive {AWAITED}
select w.uuid, o.state, coalesce(o.cause, d.cause) ->> 'code' as code, coalesce(o.cause_key, d.cause_key) as cause_key,
       coalesce(o.cause, d.cause) as cause, coalesce(d.kind, o.kind) as cause_kind,
       coalesce(d.record_uuid, o.record_uuid) as cause_uuid, o.waits_for_kind, o.waits_for_uuid,
       l.remote_id, l.synced_at, l.answer, l.standing, u.last_sent_at, u.looked_at,
       array(select b.kind || ' ' || b.record_uuid from awaited b
             where b.uuid = w.uuid and b.step > 0 order by b.step) as way,
       -- of the next to go: the last that it waits for, else itself
       n.state as next_state, n.not_before as next_not_before, exists (
           select from books_attempt x
           where x.company_id = n.company_id and x.kind = n.kind and x.record_uuid = n.record_uuid
               and x.state = 'unknown' and x.operation = 'create') as is_next_unknown
from unnest(%(uuids)s::uuid[]) as w(uuid)
left join books_outboxrow o on o.company_id = %(company)s and o.kind = %(kind)s and o.record_uuid = w.uuid
left join awaited d on d.uuid = w.uuid and d.step > 0 and d.state = 'blocked'
left join awaited n on n.uuid = w.uuid and n.waits_for_uuid is null
left join books_link l on l.company_id = %(company)s and l.kind = %(kind)s and l.record_uuid = w.uuid
left join books_attempt u on u.company_id = %(company)s and u.kind = %(kind)s and u.record_uuid = w.uuid
    and u.state = 'unknown' and u.operation = 'create' and o.state = 'due'
"""  # noqa: S608  # made of constants


def sync_states(workspace_id: int, kind: Kind, uuids: Iterable[UUID]) -> dict[UUID, SyncState]:
    """The state of each record; empty while nothing is connected. One query, whatever the number."""
    active = find_active_connection(workspace_id)
    if active is None:
        return {}
    hold = _read_hold(active)
    rows = _read(active.company_id, kind, list(uuids))
    return {row["uuid"]: _state(row, hold) for row in rows}


def read_record_sync(workspace_id: int, kind: Kind, uuid: UUID) -> RecordSync | None:
    """Everything a record's page says; None when nothing is connected that it went to, or is to go to."""
    active = find_active_connection(workspace_id)
    company = _company_of(active, workspace_id, kind, uuid)
    if company is None:
        return None
    (row,) = _read(company.pk, kind, [uuid])
    provider = get_provider(company.provider)
    hold = _read_hold(active)
    held_until = hold.until_of(row)
    answer = as_json(row["answer"])
    return RecordSync(
        state=_state(row, hold),
        cause=_cause(row, company, provider.name),
        waits_for=_waits_for(row, company, kind),
        last_synced_at=row["synced_at"],
        remote_url=row["remote_id"]
        and provider.record_url(
            environment=company.environment, company_id=company.remote_id, kind=kind, remote_id=row["remote_id"]
        ),
        remote_total=Decimal(answer["total"]) if answer.get("total") else None,
        provider_name=provider.name,
        can_sync_now=active is not None,
        history=list_record_history(company, kind, uuid),
        is_uncertain=row["state"] == "blocked" and row["code"] == CauseCode.OUTCOME_UNCERTAIN,
        candidates=_candidates(company, kind, row),
        standing=row["standing"] or "live",
        looks_again_at=_looks_again_at(row, provider, hold),
        held=hold.allowance if held_until else "",
        held_until=held_until,
        is_cause_awaited=row["cause_key"] is not None and row["cause_uuid"] != uuid,
    )


@dataclass(frozen=True, slots=True)
class _Hold:
    """What alone holds the connection: a pause, or the month's used-up allowance, and until when."""

    is_paused: bool = False
    allowance: Literal["", "reads", "everything"] = ""
    until: datetime | None = None

    def until_of(self, row: dict[str, Any]) -> datetime | None:
        """Until when the used-up allowance holds a record back, itself or what it waits for, if it does."""
        if self.until is None or row["next_state"] != "due":
            return None
        # What was put off waits as long as the connection; a create without an answer begins with a look in any case.
        is_held = self.allowance == "everything" or row["next_not_before"] >= self.until or row["is_next_unknown"]
        return self.until if is_held else None


def _read_hold(active: Connection | None) -> _Hold:
    if active is None:
        return _Hold()
    return _Hold(active.paused_at is not None and active.state == State.CONNECTED, *read_allowance(active))


def _looks_again_at(row: dict[str, Any], provider: Provider, hold: _Hold) -> datetime | None:
    """When a create without an answer is looked for again: not before the month's reads are there."""
    if row["last_sent_at"] is None:
        return None
    patience = provider.request_timeout if row["looked_at"] is None else provider.looks_count_after
    at: datetime = row["last_sent_at"] + patience
    held_until = hold.until_of(row)
    return at if held_until is None else max(at, held_until)


def _company_of(active: Connection | None, workspace_id: int, kind: Kind, uuid: UUID) -> RemoteCompany | None:
    if active is not None:
        return RemoteCompany.objects.get(pk=active.company_id)
    # What still waits there is kept, too: it goes on when the same company is connected again.
    of_record = {"company__workspace_id": workspace_id, "kind": kind, "record_uuid": uuid}
    sent = Link.objects.filter(**of_record).values_list("synced_at", "company_id")
    asked_for = OutboxRow.objects.filter(**of_record).values_list("requested_at", "company_id")
    latest = max([*sent, *asked_for], default=None)
    return RemoteCompany.objects.get(pk=latest[1]) if latest else None


def _read(company_pk: int, kind: Kind, uuids: list[UUID]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"company": company_pk, "kind": kind, "uuids": uuids})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _state(row: dict[str, Any], hold: _Hold) -> SyncState:
    if row["code"] is not None and row["code"] not in PATIENT:
        return SyncState.NEEDS_ATTENTION
    if row["state"] is None:
        return SyncState.SYNCED if row["remote_id"] else SyncState.NOT_SENT
    if row["state"] == "sending":
        return SyncState.SENDING
    if hold.is_paused:
        return SyncState.HELD
    return SyncState.WAITING if hold.until_of(row) is None else SyncState.PUT_OFF


def _cause(row: dict[str, Any], company: RemoteCompany, provider_name: str) -> Cause | None:
    if row["cause_key"] is None:
        return None
    key = (row["cause_kind"], row["cause_uuid"])
    return describe(
        row["cause_key"],
        as_json(row["cause"]),
        kind=row["cause_kind"],
        uuid=row["cause_uuid"],
        label=label_records([key]).get(key, ""),
        provider_name=provider_name,
        is_of_general=is_general(*key, company.workspace),
    )


def _candidates(company: RemoteCompany, kind: Kind, row: dict[str, Any]) -> tuple[CandidateView, ...]:
    if row["state"] != "blocked":
        return ()
    provider = get_provider(company.provider)
    return tuple(
        CandidateView(
            remote_id=each["remote_id"],
            label=each["label"],
            email=each["email"],
            total=Decimal(each["total"]) if each["total"] else None,
            issue_date=date.fromisoformat(each["date"]) if each["date"] else None,
            created_at=datetime.fromisoformat(each["created_at"]) if each["created_at"] else None,
            url=provider.record_url(
                environment=company.environment,
                company_id=company.remote_id,
                kind=kind,
                remote_id=each["remote_id"],
            ),
        )
        for each in list_stored(as_json(row["cause"]))
    )


def _waits_for(row: dict[str, Any], company: RemoteCompany, kind: Kind) -> tuple[Awaited, ...]:
    if row["waits_for_uuid"] is None:
        return ()
    way = [split_reference(each) for each in row["way"]] or [(as_kind(row["waits_for_kind"]), row["waits_for_uuid"])]
    return name_way((kind, row["uuid"]), way, company.workspace)
