"""The books of one company on the in-memory platform: its records, and the rules that refuse a write."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from zlib import crc32

import msgspec

from cone.accounting.facts import as_kind
from cone.accounting.port.company import Account, CompanyFacts, InactiveItem, PaymentMethod, Reference, TaxCode
from cone.accounting.port.documents import (
    CustomerDocument,
    Document,
    InvoiceDocument,
    Kind,
    Namesake,
    PaymentDocument,
    RemoteRecord,
    ServiceDocument,
    Standing,
)
from cone.accounting.port.provider import Sent, WireRequest
from cone.accounting.port.verdicts import Answered, CauseCode, GoneError, RejectedError, StaleError
from cone.kit.values import replace

from .chart import INCOME, usual_payment_methods

_DOCUMENTS: Mapping[
    str, type[CustomerDocument] | type[ServiceDocument] | type[InvoiceDocument] | type[PaymentDocument]
] = {
    "customer": CustomerDocument,
    "service": ServiceDocument,
    "invoice": InvoiceDocument,
    "payment": PaymentDocument,
}


@dataclass
class FakeRecord:
    """A record on the platform, with the document last written to it."""

    kind: Kind
    remote_id: str
    document: Document
    version: int = 0
    is_active: bool = True
    standing: Standing = "live"
    has_marker: bool = True
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class FakeCompany:
    """One company's books there."""

    facts: CompanyFacts
    accounts: tuple[Account, ...]
    tax_codes: tuple[TaxCode, ...]
    numbers: "count[int]"
    suggested_income_account_id: str | None = INCOME
    payment_methods: tuple[PaymentMethod, ...] = field(default_factory=usual_payment_methods)
    records: dict[tuple[Kind, str], FakeRecord] = field(default_factory=dict)
    answers: dict[str, Sent] = field(default_factory=dict)
    others: list[Namesake] = field(default_factory=list)
    next_number: int = 1001
    total_is_off_by: Decimal = Decimal(0)
    may_numbers_repeat: bool = False

    def reference(self) -> Reference:
        """The lists that settings choose from."""
        items = [record for (kind, _), record in self.records.items() if kind == "service" and not record.is_active]
        return Reference(
            accounts=self.accounts,
            tax_codes=self.tax_codes,
            suggested_income_account_id=self.suggested_income_account_id,
            payment_methods=self.payment_methods,
            inactive_items=tuple(InactiveItem(item.remote_id, self.show(item).name) for item in items),
        )

    def list_missing(self, item_names: Sequence[str]) -> tuple[str, ...]:
        """Which of these names no active item has, whatever the case of their letters."""
        items = [record for (kind, _), record in self.records.items() if kind == "service" and record.is_active]
        names = {self.show(item).name.casefold() for item in items}
        return tuple(name for name in item_names if name.strip().casefold() not in names)

    def write(self, request: WireRequest) -> RemoteRecord:
        """Do what a write says. Raises verdicts."""
        verb, kind, *where = request.line.split()
        if verb in ("void", "delete"):
            return self._remove(verb, self.get_current(kind, *where))
        document: Document = msgspec.json.decode(request.body, type=_DOCUMENTS[kind])
        if isinstance(document, InvoiceDocument) and not document.number:
            document = replace(document, number=self._give_number(where))
        if verb == "create":
            self._check(document, None)
            record = FakeRecord(kind=document.kind, remote_id=str(next(self.numbers)), document=document)
            self.records[document.kind, record.remote_id] = record
        else:
            record = self.get(document.kind, where[0])
            self._check(document, record)
            record = self.get_current(kind, *where)
            self._touch_invoices(record)
            record.document = document
            record.version += 1
        self._touch_invoices(record)
        return self.show(record)

    def _give_number(self, where: list[str]) -> str:
        """The platform's own sequence, for an invoice that comes without a number; an update keeps the one it has."""
        if where:
            kept = self.get("invoice", where[0]).document
            return kept.number if isinstance(kept, InvoiceDocument) else ""
        self.next_number += 1
        return str(self.next_number - 1)

    def find_namesakes(self, entity: str, names: Sequence[str]) -> tuple[Namesake, ...]:
        """Everybody of one sort who has one of these names."""
        wanted = {plain(name) for name in names}
        customers = [_namesake(record) for (kind, _), record in self.records.items() if kind == "customer"]
        everybody = [*customers, *self.others]
        return tuple(each for each in everybody if each.entity == entity and plain(each.name) in wanted)

    def list_customers(self, typed: str, *, most: int) -> tuple[Namesake, ...]:
        """Active customers of that e-mail address, or whose name begins so."""
        customers = [
            _namesake(record) for (kind, _), record in self.records.items() if kind == "customer" and record.is_active
        ]
        by_address = [each for each in customers if plain(each.email) == plain(typed)]
        return tuple(by_address or [each for each in customers if plain(each.name).startswith(plain(typed))])[:most]

    def _remove(self, verb: str, record: FakeRecord) -> RemoteRecord:
        self._check_open(_date_of(record.document))
        self._touch_invoices(record)
        record.standing = "void" if verb == "void" else "deleted"
        record.version += 1
        for payment in self._payments_of(record) if record.kind == "invoice" else ():
            assert isinstance(payment.document, PaymentDocument)
            kept = tuple(part for part in payment.document.allocations if part.invoice_id != record.remote_id)
            payment.document = replace(payment.document, allocations=kept)
            payment.version += 1
        if verb == "delete":
            del self.records[record.kind, record.remote_id]
            return RemoteRecord(kind=record.kind, remote_id=record.remote_id, version="", standing="deleted")
        return self.show(record)

    def get(self, kind: Kind, remote_id: str) -> FakeRecord:
        """The record of that id. Raises GoneError."""
        record = self.records.get((kind, remote_id))
        if record is None:
            raise GoneError(Answered(http_status=404, message="no such record"))
        return record

    def get_current(self, kind: str, remote_id: str, version: str) -> FakeRecord:
        """The record of that id in that version. Raises GoneError, StaleError."""
        record = self.get(as_kind(kind), remote_id)
        if str(record.version) != version:
            raise StaleError(Answered(http_status=400, message="someone else changed it"))
        return record

    def show(self, record: FakeRecord) -> RemoteRecord:
        """A record as the port tells it."""
        shown = RemoteRecord(
            kind=record.kind,
            remote_id=record.remote_id,
            version=str(record.version),
            is_active=record.is_active,
            standing=record.standing,
            created_at=record.created_at,
        )
        match record.document:
            case InvoiceDocument() as invoice:
                return self._show_invoice(shown, invoice, marker=str(invoice.uuid) if record.has_marker else "")
            case PaymentDocument() as payment:
                return _show_payment(shown, payment)
            case ServiceDocument() as service:
                return replace(shown, name=service.name, income_account_id=service.income_account_id)
            case CustomerDocument() as customer:
                return replace(shown, name=customer.name, email=customer.email, currency=customer.currency)

    def _show_invoice(self, shown: RemoteRecord, invoice: InvoiceDocument, *, marker: str) -> RemoteRecord:
        is_live = shown.standing == "live"
        total = invoice.total + self.total_is_off_by if is_live else Decimal(0)
        payments = [payment for payment in self._payments() if self._applied(payment, shown.remote_id)]
        return replace(
            shown,
            number=invoice.number,
            total=total,
            tax=invoice.tax + self.total_is_off_by if is_live else Decimal(0),
            balance=total - sum((self._applied(payment, shown.remote_id) for payment in payments), Decimal(0)),
            tax_codes=tuple(line.tax_code_id for line in invoice.lines),
            deposit_account_id=invoice.deposit_account_id,
            marker=marker,
            customer_id=invoice.customer_id,
            issue_date=invoice.issue_date,
            due_date=invoice.due_date,
            words=(invoice.memo, "", *(line.description for line in invoice.lines)),
            email=invoice.customer_email,
            payment_ids=tuple(payment.remote_id for payment in payments),
            besides=_besides(invoice),
        )

    def _payments(self) -> Iterator[FakeRecord]:
        return (each for each in self.records.values() if each.kind == "payment" and each.standing == "live")

    def _payments_of(self, invoice: FakeRecord) -> list[FakeRecord]:
        return [payment for payment in self._payments() if self._applied(payment, invoice.remote_id)]

    def _applied(self, payment: FakeRecord, invoice_id: str) -> Decimal:
        assert isinstance(payment.document, PaymentDocument)
        parts = (part.amount for part in payment.document.allocations if part.invoice_id == invoice_id)
        return sum(parts, start=Decimal(0))

    def _touch_invoices(self, record: FakeRecord) -> None:
        """A payment that is applied, changed or taken off moves the versions of its invoices."""
        if isinstance(record.document, PaymentDocument) and record.standing == "live":
            for part in record.document.allocations:
                self.records["invoice", part.invoice_id].version += 1

    def _check(self, document: Document, record: FakeRecord | None) -> None:
        others = [
            other.document
            for (kind, its_id), other in self.records.items()
            if kind == document.kind and (record is None or its_id != record.remote_id)
        ]
        match document:
            case InvoiceDocument():
                self._check_invoice(document, record)
                numbers = {other.number for other in others if isinstance(other, InvoiceDocument)}
                if not self.may_numbers_repeat and document.number in numbers:
                    raise _refusal("this number is taken", CauseCode.NUMBER_TAKEN, "number")
            case PaymentDocument():
                self._check_payment(document, record)
            case CustomerDocument() | ServiceDocument():
                if any(
                    isinstance(other, type(document)) and plain(other.name) == plain(document.name) for other in others
                ):
                    raise _refusal("this name is taken", CauseCode.NAME_TAKEN, "name")
                is_customer = isinstance(document, CustomerDocument)
                if is_customer and any(plain(other.name) == plain(document.name) for other in self.others):
                    raise _refusal("this name is taken", CauseCode.NAME_TAKEN, "name")

    def _check_open(self, on: date | None) -> None:
        closed = self.facts.books_closed_through_date
        if closed is not None and on is not None and on <= closed:
            raise _refusal("the period is closed", CauseCode.PERIOD_CLOSED, "issue_date")

    def _check_invoice(self, document: InvoiceDocument, record: FakeRecord | None) -> None:
        self._check_open(document.issue_date)
        codes = {code.remote_id for code in self.tax_codes if code.is_active}
        if any(line.tax_code_id not in codes for line in document.lines):
            raise _refusal("no such tax code", CauseCode.TAX_CODE_INACTIVE, "tax_code")
        needed: list[tuple[Kind, str]] = [("customer", document.customer_id)]
        needed += [("service", line.item_id) for line in document.lines]
        if any(key not in self.records or not self.records[key].is_active for key in needed):
            raise _refusal("no such record", CauseCode.REFERENCE_MISSING, "reference")
        if record is not None:
            paid = sum((self._applied(payment, record.remote_id) for payment in self._payments()), start=Decimal(0))
            if document.total < paid:
                raise _refusal("the payments are larger than the invoice", CauseCode.REFUSED, "lines")

    def _check_payment(self, document: PaymentDocument, record: FakeRecord | None) -> None:
        self._check_open(document.received_date)
        if ("customer", document.customer_id) not in self.records:
            raise _refusal("no such customer", CauseCode.REFERENCE_MISSING, "customer")
        if sum((part.amount for part in document.allocations), start=Decimal(0)) > document.amount:
            raise _refusal("more is applied than was paid", CauseCode.REFUSED, "amount")
        for part in document.allocations:
            invoice = self.records.get(("invoice", part.invoice_id))
            if invoice is None or not isinstance(invoice.document, InvoiceDocument):
                raise _refusal("no such invoice", CauseCode.REFERENCE_MISSING, "invoice")
            mine = self._applied(record, part.invoice_id) if record is not None and record.standing == "live" else 0
            if part.amount > (self.show(invoice).balance or Decimal(0)) + mine:
                raise _refusal("more is applied than is owed", CauseCode.REFUSED, "amount")


def _besides(invoice: InvoiceDocument) -> str:
    """In two parts, as if the second had been added later."""
    beside = (invoice.customer_id, [line.item_id for line in invoice.lines])
    return f"{crc32(msgspec.json.encode(beside)):x}.{crc32(msgspec.json.encode(invoice.lines)):x}"


def _show_payment(shown: RemoteRecord, payment: PaymentDocument) -> RemoteRecord:
    is_live = shown.standing == "live"
    applied = payment.allocations if is_live else ()
    return replace(
        shown,
        number=payment.reference or None,
        total=payment.amount if is_live else Decimal(0),
        deposit_account_id=payment.deposit_account_id,
        marker=str(payment.uuid) if is_live else "",
        customer_id=payment.customer_id,
        issue_date=payment.received_date,
        unapplied=payment.amount - sum((part.amount for part in applied), start=Decimal(0)) if is_live else Decimal(0),
        applied=applied,
    )


def plain(name: str) -> str:
    """A name as uniqueness goes by it."""
    return name.strip().casefold()


def _namesake(record: FakeRecord) -> Namesake:
    document = record.document
    assert isinstance(document, CustomerDocument)
    return Namesake(
        "customer",
        record.remote_id,
        str(record.version),
        document.name,
        email=document.email,
        tax_number=document.tax_number,
        currency=document.currency,
        is_active=record.is_active,
    )


def _business_key(document: Document) -> object:
    """What a record is found by on the platform."""
    match document:
        case InvoiceDocument():
            return document.number
        case PaymentDocument():
            return document.customer_id, document.received_date, document.uuid
        case CustomerDocument() | ServiceDocument():
            return document.name


def is_found_by(wanted: Document, kept: Document) -> bool:
    """Whether a look-up finds a record; an invoice that was to be numbered there is known by its mark."""
    if isinstance(wanted, InvoiceDocument) and not wanted.number:
        return wanted.uuid == kept.uuid
    return _business_key(wanted) == _business_key(kept)


def _date_of(document: Document) -> date | None:
    match document:
        case InvoiceDocument():
            return document.issue_date
        case PaymentDocument():
            return document.received_date
        case _:
            return None


def _refusal(message: str, cause: CauseCode, field_name: str) -> RejectedError:
    return RejectedError(Answered(http_status=400, message=message, said=message), cause=cause, field_name=field_name)
