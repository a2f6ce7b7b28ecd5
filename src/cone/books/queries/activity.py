"""What happened, as sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from cone.books.amounts import show_money
from cone.books.models import Activity, Workspace
from cone.kit.money import Money

LATEST = 100

_SENTENCES: Mapping[tuple[str, str], str] = {
    ("customer", "created"): "added customer {name}",
    ("customer", "edited"): "changed customer {name}",
    ("customer", "archived"): "archived customer {name}",
    ("customer", "restored"): "restored customer {name}",
    ("customer", "linked"): "linked it to {name} there",
    ("customer", "suffixed"): "had it sent as {name}",
    ("service", "created"): "added service {name}",
    ("service", "edited"): "changed service {name}",
    ("service", "archived"): "archived service {name}",
    ("service", "restored"): "restored service {name}",
    ("tax_rate", "created"): "added tax rate {name}",
    ("tax_rate", "edited"): "changed tax rate {name}",
    ("tax_rate", "archived"): "archived tax rate {name}",
    ("invoice", "created"): "drafted an invoice",
    ("invoice", "edited"): "changed the invoice",
    ("invoice", "issued"): "issued invoice {number}",
    ("invoice", "numbered"): "gave it the number {number}",
    ("invoice", "sent"): "marked invoice {number} as sent",
    ("invoice", "voided"): "voided invoice {number}",
    ("invoice", "deleted"): "deleted invoice {number}",
    ("invoice", "written_off"): "wrote off invoice {number}",
    ("invoice", "payment_recorded"): "recorded a payment of {amount}",
    ("invoice", "payment_voided"): "voided a payment of {amount}",
    ("invoice", "payment_edited"): "changed a payment of it to {amount}",
    ("invoice", "removed_there"): "said that it's removed in the accounting software",
    ("payment", "created"): "recorded a payment of {amount}",
    ("payment", "edited"): "changed the payment to {amount}",
    ("payment", "voided"): "voided a payment of {amount}",
    ("customer", "found_there"): "said which record there it is: {number}",
    ("service", "found_there"): "said which record there it is: {number}",
    ("invoice", "found_there"): "said which record there it is: {number}",
    ("payment", "found_there"): "said which record there it is: {number}",
    ("customer", "made_anew"): "had it made in the accounting software again",
    ("customer", "sent_again"): "said that it isn't there, and had it sent again",
    ("service", "sent_again"): "said that it isn't there, and had it sent again",
    ("invoice", "sent_again"): "said that it isn't there, and had it sent again",
    ("payment", "sent_again"): "said that it isn't there, and had it sent again",
    ("payment", "removed_there"): "said that it's removed in the accounting software",
    ("connection", "existing_sent"): "had {count} existing invoices sent",
    ("connection", "payments_sent"): "had {count} payments of existing invoices sent",
    ("connection", "run_cancelled"): "stopped sending existing invoices",
    ("connection", "run_undone"): "had {count} sent records taken back",
    ("workspace", "created"): "created the firm {name}",
    ("workspace", "edited"): "changed the firm's settings",
    ("workspace", "invited"): "invited {email}",
    ("workspace", "invitation_withdrawn"): "withdrew the invitation of {email}",
    ("workspace", "joined"): "joined the team",
    ("workspace", "role_changed"): "made {email} {role}",
    ("workspace", "removed"): "removed {email} from the team",
}


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """One entry: `actor_name` `sentence`. Verbs that this room doesn't know are shown as they are."""

    at: datetime
    actor_name: str
    kind: str
    record_uuid: UUID
    verb: str
    detail: Mapping[str, str]
    sentence: str


def list_activity(workspace: Workspace, kind: str, uuid: UUID, *, limit: int = LATEST) -> tuple[ActivityEntry, ...]:
    """Return what happened to one record, latest first, in one query."""
    found = Activity.objects.filter(workspace=workspace, kind=kind, record_uuid=uuid).select_related("actor")
    return tuple(read_entry(entry) for entry in found.order_by("-at", "-id")[:limit])


def read_entry(entry: Activity) -> ActivityEntry:
    """Return an entry, its actor at hand, with its sentence."""
    detail = {str(key): str(value) for key, value in entry.detail.items()}
    template = _SENTENCES.get((entry.kind, entry.verb), entry.verb.replace("_", " "))
    return ActivityEntry(
        at=entry.at,
        actor_name=str(entry.actor) if entry.actor else "",
        kind=entry.kind,
        record_uuid=entry.record_uuid,
        verb=entry.verb,
        detail=detail,
        sentence=_fill(template, detail),
    )


def _fill(template: str, detail: Mapping[str, str]) -> str:
    # Not str.format: a detail is text that a person typed.
    for key in ("name", "number", "amount", "count", "email", "role"):
        template = template.replace(f"{{{key}}}", _show(key, detail).replace("{", "\x00"))
    return template.replace("\x00", "{").strip()


def _show(key: str, detail: Mapping[str, str]) -> str:
    value = detail.get(key, "")
    if value and key == "amount":
        return show_money(Money(Decimal(value), detail.get("currency", "")))
    return f"{int(value):,}" if value and key == "count" else value
