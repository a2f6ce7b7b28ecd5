"""A firm's book as plain values, read from Cone's tables: what a peer is given, and what is compared in the end."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it's printed; money as text, so that nothing is rounded on the way."""

    description: str
    quantity: str
    unit_price: str
    amount: str


@dataclass(frozen=True, slots=True)
class Bill:
    """One issued invoice; `customer` is the place of its customer in the book."""

    number: str
    customer: int
    issue_date: str
    due_date: str
    memo: str
    total: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """One customer."""

    name: str
    email: str
    address: str
    city: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Book:
    """The customers and issued invoices of one firm, all of one tax rate, which its company there calls `tax_code`."""

    clients: tuple[Client, ...]
    bills: tuple[Bill, ...]

    def to_json(self) -> dict[str, object]:
        """As the peer's process reads it."""
        return asdict(self)

    def totals(self) -> dict[str, Decimal]:
        """What each number must come to."""
        return {bill.number: Decimal(bill.total) for bill in self.bills}


def read_book(workspace_id: int, numbers: Sequence[str] | None = None) -> Book:
    """A firm's customers and invoices (or those of the given numbers), in the order in which they were made."""
    from cone.books.models import Customer, Invoice, InvoiceLine  # noqa: PLC0415  # after django.setup()

    chosen = Invoice.objects.filter(workspace_id=workspace_id)
    if numbers is not None:
        chosen = chosen.filter(number__in=numbers)
    lines: dict[UUID, list[Line]] = {}
    for line in (
        InvoiceLine.objects.filter(invoice__in=chosen)
        .order_by("position")
        .values_list("invoice__uuid", "description", "quantity", "unit_price", "amount")
    ):
        lines.setdefault(line[0], []).append(Line(line[1], *_texts(line[2:])))
    used = Customer.objects.filter(invoices__in=chosen).distinct().order_by("pk")
    places = {customer.pk: place for place, customer in enumerate(used)}
    clients = tuple(
        Client(each.name, each.email, each.address_line1, each.city, each.postal_code, each.country) for each in used
    )
    bills = tuple(
        Bill(
            number=str(each.number),
            customer=places[each.customer_id],
            issue_date=str(each.issue_date),
            due_date=str(each.due_date),
            memo=each.memo,
            total=str(each.total),
            lines=tuple(lines[each.uuid]),
        )
        for each in chosen.order_by("pk")
    )
    return Book(clients, bills)


def _texts(values: Iterable[Decimal]) -> list[str]:
    return [format(value.normalize(), "f") for value in values]
