"""The platform's books as the emulator dumps them, less what stood there before anything was sent."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.request import urlopen

# By company and entity.
_Ids: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]
_MARKER = re.compile(r"cone:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class TheirCustomer:
    """A customer there; `is_own`: the firm's own from before."""

    realm: str
    remote_id: str
    name: str
    email: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class TheirItem:
    """An item there, and the account it posts to; `is_own`: the firm's own from before."""

    realm: str
    name: str
    account: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class TheirLine:
    """One line: what it sells, where it posts, and its tax code."""

    item: str
    description: str
    account: str
    tax_code: str
    net: Decimal


@dataclass(frozen=True, slots=True)
class TheirInvoice:
    """An invoice there. A void one is of nothing."""

    realm: str
    remote_id: str
    marker: str
    number: str
    customer: str
    issue_date: str
    due_date: str
    total: Decimal
    tax: Decimal
    lines: tuple[TheirLine, ...]

    @property
    def is_void(self) -> bool:
        """Whether nothing is left of it."""
        return self.total == 0 and all(line.net == 0 for line in self.lines)


@dataclass(frozen=True, slots=True)
class TheirPayment:
    """A payment there, and what of it is applied to which invoice. A void one is of nothing, and has lost its mark."""

    realm: str
    remote_id: str
    marker: str
    customer: str
    received_date: str
    amount: Decimal
    account: str
    applied: Mapping[str, Decimal]

    @property
    def is_void(self) -> bool:
        """Whether nothing is left of it."""
        return self.amount == 0 and not self.applied


@dataclass
class TheirBooks:
    """What was made there since."""

    customers: list[TheirCustomer] = field(default_factory=list)
    items: list[TheirItem] = field(default_factory=list)
    invoices: list[TheirInvoice] = field(default_factory=list)
    payments: list[TheirPayment] = field(default_factory=list)


def read_theirs(emulator_url: str, before: _Ids, planted: _Ids | None = None) -> TheirBooks:
    """The companies of `before`, less the ids that it names. `planted` are the firms' own that ours may become."""
    with urlopen(f"{emulator_url}/_emulator/dump?form=stored") as answer:  # noqa: S310  # our own emulator
        dump = json.load(answer, parse_float=Decimal)
    books = TheirBooks()
    for company in dump["companies"]:
        if company["realm_id"] in before:
            realm = company["realm_id"]
            _take_company(books, company, before[realm], (planted or {}).get(realm, {}))
    return books


def _take_company(
    books: TheirBooks,
    company: Mapping[str, Any],
    before: Mapping[str, Sequence[str]],
    planted: Mapping[str, Sequence[str]],
) -> None:
    realm, held = company["realm_id"], company["entities"]
    customers = {customer["Id"]: customer["DisplayName"] for customer in held["Customer"]}
    items = {item["Id"]: item["Name"] for item in held["Item"]}

    def fresh(entity: str) -> list[Mapping[str, Any]]:
        former = set(before.get(entity, ()))
        return [record for record in held.get(entity, []) if record["Id"] not in former]

    for record in fresh("Customer"):
        email = (record.get("PrimaryEmailAddr") or {}).get("Address", "")
        is_own = record["Id"] in planted.get("Customer", ())
        books.customers.append(TheirCustomer(realm, record["Id"], record["DisplayName"], email, is_own))
    for record in fresh("Item"):
        is_own = record["Id"] in planted.get("Item", ())
        books.items.append(TheirItem(realm, record["Name"], record["IncomeAccountRef"]["value"], is_own))
    books.invoices += [_read_invoice(realm, record, customers, items) for record in fresh("Invoice")]
    books.payments += [_read_payment(realm, record, customers) for record in fresh("Payment")]


def _read_invoice(
    realm: str, record: Mapping[str, Any], customers: Mapping[str, str], items: Mapping[str, str]
) -> TheirInvoice:
    return TheirInvoice(
        realm=realm,
        remote_id=record["Id"],
        marker=_read_marker(record),
        number=record.get("DocNumber") or "",
        customer=customers.get(record["CustomerRef"]["value"], ""),
        issue_date=record["TxnDate"],
        due_date=record.get("DueDate") or "",
        total=Decimal(record["TotalAmt"]),
        tax=Decimal((record.get("TxnTaxDetail") or {}).get("TotalTax") or 0),
        lines=tuple(_read_line(line, items) for line in record["Line"] if line["DetailType"] == "SalesItemLineDetail"),
    )


def _read_line(line: Mapping[str, Any], items: Mapping[str, str]) -> TheirLine:
    detail = line["SalesItemLineDetail"]
    return TheirLine(
        item=items.get((detail.get("ItemRef") or {}).get("value", ""), ""),
        description=line.get("Description") or "",
        account=(detail.get("ItemAccountRef") or {}).get("value", ""),
        tax_code=(detail.get("TaxCodeRef") or {}).get("value", ""),
        net=Decimal(line["Amount"]),
    )


def _read_payment(realm: str, record: Mapping[str, Any], customers: Mapping[str, str]) -> TheirPayment:
    applied: dict[str, Decimal] = {}
    for line in record.get("Line") or []:
        for linked in line.get("LinkedTxn") or []:
            if linked["TxnType"] == "Invoice":
                applied[linked["TxnId"]] = applied.get(linked["TxnId"], Decimal(0)) + Decimal(line["Amount"])
    return TheirPayment(
        realm=realm,
        remote_id=record["Id"],
        marker=_read_marker(record),
        customer=customers.get(record["CustomerRef"]["value"], ""),
        received_date=record["TxnDate"],
        amount=Decimal(record["TotalAmt"]),
        account=(record.get("DepositToAccountRef") or {}).get("value", ""),
        applied=applied,
    )


def _read_marker(record: Mapping[str, Any]) -> str:
    found = _MARKER.search(record.get("PrivateNote") or "")
    return found.group(1) if found else ""
