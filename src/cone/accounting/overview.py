"""The connection as a whole: its card, the others on offer, and the counts on the arrows of the data-flow diagram."""

from datetime import date, datetime
from typing import TypedDict

from django.db import connection
from django.db.models import Count, Exists, OuterRef

from cone.accounting.allowance import read_allowance
from cone.accounting.causes import PATIENT
from cone.accounting.connections import State
from cone.accounting.facts import as_environment, as_kind
from cone.accounting.outbox import find_active_connection
from cone.accounting.port.documents import Kind
from cone.accounting.port.provider import Provider
from cone.accounting.registry import explain_mismatch, get_provider, list_providers
from cone.accounting.sql.standing import STUCK
from cone.accounting.values import ConnectionView, FlowArrow, ProviderCard
from cone.books.models import Connection, Link, OutboxRow

_DESCRIPTIONS = {
    "quickbooks": "What you do here stands in QuickBooks a moment later, once, correct to the cent.",
    "xero": "Customers, invoices and payments in Xero.",
}
_FLOWING: tuple[Kind, ...] = ("customer", "invoice", "payment")

_COUNTS = f"""
with recursive {STUCK}
select kind, count(*) filter (where not is_stuck) as waiting, count(*) filter (where is_stuck) as attention
from (
    select o.kind, coalesce(d.cause ->> 'code' <> all(%(patient)s), false) as is_stuck
    from books_outboxrow o
    left join stuck s on s.id = o.id
    left join books_outboxrow d on d.id = s.blocked_id
    where o.company_id = %(company)s
) as standing
group by kind
"""  # noqa: S608  # made of constants


class _Counts(TypedDict):
    synced: int
    waiting: int
    attention: int


def find_connection(workspace_id: int) -> ConnectionView | None:
    """The active connection as pages show it."""
    active = find_active_connection(workspace_id)
    return None if active is None else view_connection(active)


def view_connection(active: Connection) -> ConnectionView:
    """The page's view of a connection."""
    provider = get_provider(active.provider)
    counts = _counts(active.company_id)
    shown = [counts[kind] for kind in _FLOWING]
    held, held_until = read_allowance(active)
    mismatch = explain_mismatch(active.provider, active.environment)
    return ConnectionView(
        uuid=active.uuid,
        provider_key=active.provider,
        provider_name=provider.name,
        environment=as_environment(active.environment),
        company_name=active.company_name,
        state=active.state,
        state_reason=active.state_reason,
        is_paused=active.paused_at is not None,
        connected_at=active.connected_at,
        facts_read_at=active.facts_read_at,
        waiting_count=sum(entry["waiting"] for entry in shown),
        attention_count=sum(entry["attention"] for entry in shown),
        synced_count=sum(entry["synced"] for entry in shown),
        company_url=provider.accounts_url(environment=active.environment, company_id=active.company_id_remote),
        removal_policy=active.removal_policy,
        is_tried_again=active.state == State.READ_ONLY and active.paused_at is None and not mismatch,
        held=held,
        held_until=held_until,
        restored_at=active.company.restored_at,
    )


def list_provider_cards(workspace_id: int) -> tuple[ProviderCard, ...]:
    """The accounting software on offer. While one is connected the others say what to do first."""
    active = find_active_connection(workspace_id)
    view = None if active is None else view_connection(active)
    cards = [_card(provider, view) for provider in list_providers()]
    if not any(card.key == "xero" for card in cards):
        cards.append(_not_in_this_version("xero", "Xero", blocked_by=view.provider_name if view else ""))
    return tuple(cards)


def _card(provider: Provider, active: ConnectionView | None) -> ProviderCard:
    availability = provider.availability()
    is_mine = active is not None and active.provider_key == provider.key
    return ProviderCard(
        key=provider.key,
        name=provider.name,
        description=_DESCRIPTIONS.get(provider.key, f"Customers, invoices and payments in {provider.name}."),
        is_available=availability.environment is not None,
        unavailable_reason=availability.explanation,
        environment=active.environment if active is not None and is_mine else availability.environment,
        connection=active if is_mine else None,
        blocked_by=active.provider_name if active is not None and not is_mine else "",
    )


def _not_in_this_version(key: str, name: str, *, blocked_by: str) -> ProviderCard:
    return ProviderCard(
        key=key,
        name=name,
        description=_DESCRIPTIONS[key],
        is_available=False,
        unavailable_reason="Not available in this version.",
        environment=None,
        connection=None,
        blocked_by=blocked_by,
    )


def read_flow(workspace_id: int) -> tuple[FlowArrow, ...]:
    """Live counts per arrow; zeros while nothing is connected."""
    active = find_active_connection(workspace_id)
    counts = _counts(active.company_id) if active is not None else _no_counts()
    return tuple(FlowArrow(kind=kind, **counts[kind]) for kind in _FLOWING)


def _no_counts() -> dict[Kind, _Counts]:
    kinds: tuple[Kind, ...] = ("customer", "service", "invoice", "payment")
    return {kind: {"synced": 0, "waiting": 0, "attention": 0} for kind in kinds}


def _counts(company_pk: int) -> dict[Kind, _Counts]:
    counts = _no_counts()
    asked = OutboxRow.objects.filter(
        company_id=OuterRef("company_id"), kind=OuterRef("kind"), record_uuid=OuterRef("record_uuid")
    )
    # A record that's there and due again, or differs, is counted where it stands now.
    links = Link.objects.filter(~Exists(asked), company_id=company_pk).values("kind").annotate(number=Count("pk"))
    for entry in links:
        counts[as_kind(entry["kind"])]["synced"] = entry["number"]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"company": company_pk, "patient": sorted(PATIENT)})
        for kind, waiting, attention in cursor.fetchall():
            counts[kind]["waiting"] = waiting
            counts[kind]["attention"] = attention
    return counts


# What "existing invoices since a date" are, for the preview and the sending alike.
_SINCE = """
    i.workspace_id = %(workspace)s and i.status = 'issued' and i.issue_date >= %(from_date)s
    and i.issued_at < %(connected_at)s
"""
EXISTING = f"""
from books_invoice i
where {_SINCE}
    and not exists (select from books_link l
                    where l.company_id = %(company)s and l.kind = 'invoice' and l.record_uuid = i.uuid)
    and not exists (select from books_outboxrow o
                    where o.company_id = %(company)s and o.kind = 'invoice' and o.record_uuid = i.uuid)
"""  # noqa: S608  # made of constants

# The payments of those invoices follow. Of invoices that are there already they don't, since what was paid before the
# connection may have been recorded there by hand: but for those that a run took on, and left when it was stopped.
PAYMENTS_OF_EXISTING = f"""
from books_payment p
where p.workspace_id = %(workspace)s and p.voided_at is null
    and p.id in (
        select a.payment_id from books_paymentallocation a where a.invoice_id in (select i.id {EXISTING})
        union all
        select a.payment_id from books_backfillrun n
        join books_runrecord r on r.run_id = n.id and r.kind = 'payment'
        join books_payment left_by on left_by.uuid = r.record_uuid
        join books_paymentallocation a on a.payment_id = left_by.id
        join books_invoice i on i.id = a.invoice_id
        where n.company_id = %(company)s and {_SINCE})
    and not exists (select from books_link pl
                    where pl.company_id = %(company)s and pl.kind = 'payment' and pl.record_uuid = p.uuid)
    and not exists (select from books_outboxrow po
                    where po.company_id = %(company)s and po.kind = 'payment' and po.record_uuid = p.uuid)
"""  # noqa: S608  # made of constants


def existing_values(active: Connection, from_date: date) -> dict[str, int | date | datetime]:
    """The values of EXISTING."""
    return {
        "company": active.company_id,
        "workspace": active.workspace_id,
        "from_date": from_date,
        "connected_at": active.connected_at,
    }
