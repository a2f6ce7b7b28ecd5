"""What all sales documents do alike: dates, numbers, tax model, currency, lines, totals, void and delete."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.document_lines import discount_of, flat, sales_lines
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn, View
from qbo_emulator.tax.global_model import global_tax
from qbo_emulator.tax.us_classic import check_codes, us_tax

from .currency import at_home, home_amounts, receivable, settle_currency
from .customer import number_addresses
from .entity import Entity, find
from .fields import Shape, require
from .lines import complete_lines, voided_lines, with_subtotal
from .names import address_serials
from .period import check_open
from .references import rendered

rule(
    "sales.doc-number",
    "CustomTxnNumbers on: the caller's number, none stays none, duplicates are 6140 unless "
    "allowduplicatedocnum; off: numbered by QuickBooks, a given one kept unchecked",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule("sales.number-series", "Each kind of document is numbered apart", Mark.ASSUMPTION)
rule(
    "sales.tracking",
    "ClassRef and DepartmentRef need their preference, else 5030",
    Mark.ASSUMPTION,
    "the reference says whether they may be sent, not what a refusal looks like",
)
rule(
    "sales.kept-tax",
    "A sparse update of what tax does not follow from keeps the tax, overridden or not; others tax anew",
    Mark.DOCUMENT,
    "Intuit REST API and global tax model",
)
rule("sales.customer", "The customer of a document with payments cannot be changed (6000)", Mark.ASSUMPTION)
rule("sales.note-on-void", "A void puts 'Voided' before an existing note", Mark.DOCUMENT, "Intuit invoice reference")


# What tax follows from.
_TAXING = frozenset(
    {
        "Line",
        "TxnTaxDetail",
        "GlobalTaxCalculation",
        "CustomerRef",
        "BillAddr",
        "ShipAddr",
        "ShipFromAddr",
        "ApplyTaxAfterDiscount",
        "TxnDate",
    }
)


class SalesDocument(Entity):
    """An invoice, credit memo, receipt, refund or estimate."""

    sequence = "Txn"
    is_list = False
    can_delete = True
    answer: Shape
    needs_customer = True
    # What a line adds to its income account.
    sign = 1

    def check(self, txn: Txn, given: Json) -> None:
        if txn.books.country == "US":
            check_codes(txn, given)
        super().check(txn, given)

    def outdated_by(self, given: Json) -> frozenset[str]:
        return frozenset({"TxnTaxDetail"}) if given.keys() & _TAXING else frozenset()

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Line", *(("CustomerRef",) if self.needs_customer else ()))
        record = dict(given)
        customer = find(txn, "Customer", record["CustomerRef"]["value"]) if record.get("CustomerRef") else {}
        record.setdefault("TxnDate", txn.books.clock.today().isoformat())
        self.settle_dates(txn, record, customer)
        check_open(txn, record, before)
        self.check_change(txn, before)
        self.check_party(record, before)
        check_tracking(txn, record)
        settle_number(txn, self.name, record, before)
        _settle_tax_model(txn, record, before)
        settle_currency(txn, record, customer)
        _settle_defaults(record, customer, before)
        number_addresses(txn, record, before)
        record["Line"] = complete_lines(txn, record, before)
        if not record["Line"]:
            raise missing("Line")
        self._settle_total(txn, record, before)
        self.settle_balance(txn, record, before)
        record.update(home_amounts(record))
        return record

    def settle_dates(self, txn: Txn, record: Json, customer: Json) -> None:
        """Set the dates beside TxnDate."""

    def check_party(self, record: Json, before: Json | None) -> None:
        """Refuse another customer for a document that payments of the first one are linked to."""
        if before is None or record.get("CustomerRef") == before.get("CustomerRef"):
            return
        if any(link["TxnType"] == "Payment" for link in before.get("LinkedTxn") or []):
            raise business("The customer of a transaction with payments cannot be changed.")

    def check_change(self, txn: Txn, before: Json | None) -> None:
        """Refuse a change of a document that something else holds."""

    def settle_balance(self, txn: Txn, record: Json, before: Json | None) -> None:
        """Set what is open, once the total is known."""

    def _settle_total(self, txn: Txn, record: Json, before: Json | None) -> None:
        lines = sales_lines(record["Line"])
        discount = discount_of(record["Line"])
        tax = us_tax if txn.books.country == "US" else global_tax
        # The very tax that was stored: a sparse update of what it does not follow from, so an override stays.
        if before is None or record.get("TxnTaxDetail") is not before["TxnTaxDetail"]:
            record["TxnTaxDetail"] = tax(txn, record, lines, discount)
        subtotal = sum((dec(line["Amount"]) for line in lines), ZERO)
        record["TotalAmt"] = money(subtotal - discount + dec(record["TxnTaxDetail"]["TotalTax"]))
        if record["TotalAmt"] < 0:
            raise business("The amount of the transaction must be zero or more.")

    def voided(self, txn: Txn, record: Json) -> Json:
        """The document with zero amounts and the note."""
        check_open(txn, record, record)
        self.check_change(txn, record)
        changed = {
            **record,
            "Line": voided_lines(record["Line"]),
            "TxnTaxDetail": {"TotalTax": ZERO},
            "TotalAmt": ZERO,
            "Balance": ZERO,
            "LinkedTxn": [],
            "PrivateNote": _void_note(record.get("PrivateNote")),
        }
        return {**changed, **home_amounts(changed)}

    def check_delete(self, txn: Txn, record: Json) -> None:
        check_open(txn, record, record)
        self.check_change(txn, record)

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.answer, {**record, "Line": with_subtotal(record["Line"])})

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return ((f"{self.name}.DocNumber", record["DocNumber"].casefold()),) if record.get("DocNumber") else ()

    def serials(self, record: Json) -> Iterable[tuple[str, int]]:
        number = record.get("DocNumber") or ""
        if number.isascii() and number.isdigit():
            yield f"{self.name}.DocNumber", int(number)
        yield from address_serials(record)

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        for line in flat(record["Line"]):
            detail = line.get("SalesItemLineDetail") or {}
            if detail.get("ItemAccountRef"):
                yield detail["ItemAccountRef"]["value"], self.sign * at_home(record, dec(line["Amount"]))
            discount = (line.get("DiscountLineDetail") or {}).get("DiscountAccountRef")
            if discount:
                yield discount["value"], -self.sign * at_home(record, dec(line["Amount"]))
            stock = detail.get("_Stock")
            if stock:
                cost = self.sign * money(dec(stock["Cost"]) * dec(detail.get("Qty", 1)))
                yield stock["Asset"], -cost
                yield stock["Expense"], cost
        roles = view.get("Roles", "1") or {}
        if "tax_payable" in roles:
            yield roles["tax_payable"], self.sign * at_home(record, dec(record["TxnTaxDetail"]["TotalTax"]))

    def moved(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        for line in flat(record["Line"]):
            detail = line.get("SalesItemLineDetail") or {}
            if detail.get("_Stock"):
                yield detail["ItemRef"]["value"], -self.sign * dec(detail.get("Qty", 1))


def owed_to(view: View, record: Json, amount: Decimal) -> Iterable[tuple[str, Decimal]]:
    """The posting to the receivable account, in that account's own currency."""
    account = receivable(view, record)
    if account:
        yield account, amount


def settle_number(txn: Txn, kind: str, record: Json, before: Json | None) -> None:
    """Set DocNumber as the preference says; 6140 for one that is taken."""
    custom = txn.books.preferences["SalesFormsPrefs"].get("CustomTxnNumbers")
    space = f"{kind}.DocNumber"
    number = record.get("DocNumber")
    if (not custom and not number) or number == "AUTO_GENERATE":
        number = before.get("DocNumber") if before else None
        number = number or str(max(txn.books.highest(space), 1000) + 1)
    if custom and number and "allowduplicatedocnum" not in txn.include:
        own = (kind, before["Id"] if before else "")
        if any(holder != own for holder in txn.books.holders(space, number.casefold())):
            raise Fault(
                6140,
                "Duplicate Document Number Error : You must specify a different number. "
                "This number has already been used.",
            )
    record["DocNumber"] = number or None
    record.pop("AutoDocNumber", None)


def _settle_tax_model(txn: Txn, record: Json, before: Json | None) -> None:
    if txn.books.country == "US":
        record.pop("GlobalTaxCalculation", None)
        record.setdefault("ApplyTaxAfterDiscount", False)
        if before is not None and not record.get("TxnTaxDetail"):
            code = before["TxnTaxDetail"].get("TxnTaxCodeRef")
            record["TxnTaxDetail"] = {"TxnTaxCodeRef": code} if code else None
        return
    if before is not None:
        record.setdefault("GlobalTaxCalculation", before["GlobalTaxCalculation"])
    if "GlobalTaxCalculation" not in record:
        raise missing("GlobalTaxCalculation")
    detail = record.get("TxnTaxDetail") or {}
    if record["GlobalTaxCalculation"] == "NotApplicable" and (detail.get("TaxLine") or dec(detail.get("TotalTax"))):
        raise Fault(6170, "TxnTaxDetail cannot be given with GlobalTaxCalculation NotApplicable.", "TxnTaxDetail")


def _settle_defaults(record: Json, customer: Json, before: Json | None) -> None:
    for name in ("BillAddr", "ShipAddr"):
        address = record.get(name)
        default = customer.get(name) or customer.get("BillAddr")
        if address is None and default is not None and before is None:
            record[name] = dict(default)
    if record.get("EmailStatus") == "NeedToSend" and not (record.get("BillEmail") or {}).get("Address"):
        raise missing("BillEmail")
    record.setdefault("CustomField", [])
    record.setdefault("PrintStatus", "NeedToPrint")
    record.setdefault("EmailStatus", "NotSet")


def check_tracking(txn: Txn, record: Json) -> None:
    """Classes and locations may be named only where the company tracks them."""
    preferences = txn.books.preferences["AccountingInfoPrefs"]
    if record.get("DepartmentRef") and not preferences.get("TrackDepartments"):
        raise Fault(5030, "Location tracking is not enabled for this company.", "DepartmentRef")
    by_line = any((line.get("SalesItemLineDetail") or {}).get("ClassRef") for line in flat(record.get("Line", [])))
    for used, preference in ((record.get("ClassRef"), "ClassTrackingPerTxn"), (by_line, "ClassTrackingPerTxnLine")):
        if used and not preferences.get(preference):
            raise Fault(5030, "Class tracking is not enabled for this company.", "ClassRef")


def _void_note(note: str | None) -> str:
    if not note or note.startswith("Voided"):
        return note or "Voided"
    return f"Voided - {note}"[:4000]
