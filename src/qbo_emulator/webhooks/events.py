"""From changed rows to events, and from events to the two bodies that apps are sent."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from qbo_emulator.clock import SECOND
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import Json, encode
from qbo_emulator.store import Row

rule("webhook.legacy", "The eventNotifications body, a company in each entry", Mark.RECORDING, "fixture of an SDK")
rule(
    "webhook.cloudevents",
    "The CloudEvents array with intuitentityid and intuitaccountid",
    Mark.RECORDING,
    "fixture of an SDK; verbs other than created are documented only",
)
rule(
    "webhook.operations",
    "Create, Update, Delete, Merge, Void, Emailed; side effects on other records are updates",
    Mark.DOCUMENT,
    "Intuit webhooks",
)
rule(
    "webhook.entities",
    "TaxCode and TaxRate have no webhooks, and neither has CompanyInfo",
    Mark.DOCUMENT,
    "Intuit's list of entities",
)

ENTITIES = frozenset(
    {
        "Account",
        "Bill",
        "BillPayment",
        "Budget",
        "Class",
        "CreditMemo",
        "Currency",
        "Customer",
        "Department",
        "Deposit",
        "Employee",
        "Estimate",
        "Invoice",
        "Item",
        "JournalCode",
        "JournalEntry",
        "Payment",
        "PaymentMethod",
        "Preferences",
        "Purchase",
        "PurchaseOrder",
        "RefundReceipt",
        "SalesReceipt",
        "TaxAgency",
        "Term",
        "TimeActivity",
        "Transfer",
        "Vendor",
        "VendorCredit",
    }
)
OPERATIONS = ("Create", "Update", "Delete", "Merge", "Void", "Emailed")
_VERBS = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Merge": "merged",
    "Void": "voided",
    "Emailed": "emailed",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One record and what happened to it; `at` is nanoseconds since 1970."""

    realm: str
    entity: str
    number: str
    operation: str
    at: int
    key: str
    deleted_id: str | None = None


def find_events(realm: str, rows: Iterable[Row], before: Mapping[str, Mapping[str, Json]], now: int) -> Iterator[Event]:
    """What a set of changes means, seen from the records before it."""
    for row in rows:
        if row.entity not in ENTITIES:
            continue
        key = str(uuid.uuid4())
        heir = row.body.get("mergedInto") if row.deleted_at is not None else None
        if heir is not None:
            yield Event(realm, row.entity, str(heir), "Merge", now, key, deleted_id=row.id)
        else:
            operation = _operation(row, before.get(row.entity, {}).get(row.id))
            yield Event(realm, row.entity, row.id, operation, now, key)


def _operation(row: Row, before: Json | None) -> str:
    if row.deleted_at is not None:
        return "Delete"
    if before is None:
        return "Create"
    if _is_voided(row.body) and not _is_voided(before):
        return "Void"
    if row.body.get("EmailStatus") == "EmailSent" and row.body.get("DeliveryInfo") != before.get("DeliveryInfo"):
        return "Emailed"
    return "Update"


def _is_voided(record: Json) -> bool:
    return record.get("TotalAmt") == 0 and str(record.get("PrivateNote") or "").startswith("Voided")


def as_legacy(events: Iterable[Event]) -> bytes:
    by_realm: dict[str, list[Json]] = {}
    for event in events:
        entry: Json = {
            "name": event.entity,
            "id": event.number,
            "operation": event.operation,
            "lastUpdated": _moment(event.at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if event.deleted_id is not None:
            entry["deletedId"] = event.deleted_id
        by_realm.setdefault(event.realm, []).append(entry)
    notifications = [
        {"realmId": realm, "dataChangeEvent": {"entities": entities}} for realm, entities in by_realm.items()
    ]
    return encode({"eventNotifications": notifications})


def as_cloud_events(events: Iterable[Event], client_id: str) -> bytes:
    source = hashlib.sha256(client_id.encode()).hexdigest()[:40]
    return encode(
        [
            {
                "specversion": "1.0",
                "id": event.key,
                "source": f"intuit.{source}=",
                "type": f"qbo.{event.entity.lower()}.{_VERBS[event.operation]}.v1",
                "datacontenttype": "application/json",
                "time": f"{_moment(event.at):%Y-%m-%dT%H:%M:%S}.{event.at % SECOND:09}Z",
                "intuitentityid": event.number,
                "intuitaccountid": event.realm,
                "data": {} if event.deleted_id is None else {"deletedId": event.deleted_id},
            }
            for event in events
        ]
    )


def _moment(nanoseconds: int) -> datetime:
    seconds, rest = divmod(nanoseconds, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
