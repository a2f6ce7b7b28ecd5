"""A discount on the whole invoice: kept as typed, spread over the lines, and sent inside their amounts."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cone.accounting.port.documents import InvoiceDocument
from cone.books.models import Invoice
from cone.domain.errors import InvalidFieldError
from cone.domain.totals import Discount
from cone.operations.actor import Actor
from cone.operations.issue_invoice import issue_invoice
from cone.operations.save_invoice import save_invoice
from tests.builders import get_tax_rate, make_customer, make_invoice_input, make_line
from tests.fakes.ledger import FakeLedger

from .conftest import MakeWorker, configure, connect, is_settled, wait_until


def test_discount_is_kept_as_typed_and_arrives_inside_the_lines(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    lines = [
        make_line(get_tax_rate(owner.workspace, rate), unit_price=price) for rate, price in ((20, "100"), (5, "50"))
    ]
    typed = replace(make_invoice_input(make_customer(owner), lines), discount=Discount(percent=Decimal(10)))
    invoice = issue_invoice(owner, save_invoice(owner, typed).uuid)
    assert (invoice.discount_percent, invoice.discount) == (Decimal(10), Decimal(15))
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal(135), Decimal("20.25"), Decimal("155.25"))
    # Saved again as it is, nothing changes.
    assert save_invoice(owner, typed, uuid=invoice.uuid).revision == invoice.revision

    make_worker()
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    [there] = ledger.records("invoice")
    assert isinstance(there.document, InvoiceDocument)
    assert [line.net for line in there.document.lines] == [Decimal("90.00"), Decimal("45.00")]
    assert there.document.total == Decimal("155.25")


def test_amount_above_what_the_lines_come_to_is_refused(owner: Actor) -> None:
    line = make_line(get_tax_rate(owner.workspace), unit_price="100")
    typed = replace(make_invoice_input(make_customer(owner), [line]), discount=Discount(amount=Decimal("100.01")))
    with pytest.raises(InvalidFieldError) as caught:
        save_invoice(owner, typed)
    assert caught.value.field == "discount"
    assert not Invoice.objects.exists()


def test_percentage_and_amount_together_are_refused(owner: Actor) -> None:
    both = Discount(percent=Decimal(1), amount=Decimal(1))
    line = make_line(get_tax_rate(owner.workspace))
    with pytest.raises(InvalidFieldError) as caught:
        save_invoice(owner, replace(make_invoice_input(make_customer(owner), [line]), discount=both))
    assert caught.value.field == "discount"
