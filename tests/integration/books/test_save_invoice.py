"""Making and changing invoices."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cone.books.models import Activity, Invoice, InvoiceLine, InvoiceTax
from cone.domain.errors import InvalidFieldError, RecordNotFoundError
from cone.domain.invoices import DisplayStatus, InvoiceChangedMeanwhileError, InvoiceStatusError, Verb
from cone.domain.totals import AmountsAre
from cone.operations.archive_customer import archive_customer
from cone.operations.archive_service import archive_service
from cone.operations.archive_tax_rate import archive_tax_rate
from cone.operations.save_invoice import save_invoice
from cone.operations.void_invoice import void_invoice
from cone.operations.write_off_invoice import write_off_invoice
from tests.builders import (
    get_no_tax,
    get_tax_rate,
    make_customer,
    make_invoice,
    make_invoice_input,
    make_line,
    make_owner,
    make_payment,
    make_service,
    make_tax_rate,
)

pytestmark = pytest.mark.django_db


def test_save_invoice_new_keeps_lines_taxes_and_totals() -> None:
    owner = make_owner()
    vat, reduced, no_tax = (
        get_tax_rate(owner.workspace),
        get_tax_rate(owner.workspace, 5),
        get_no_tax(owner.workspace),
    )
    service = make_service(owner)
    typed = make_invoice_input(
        make_customer(owner),
        [
            make_line(vat, quantity="3", unit_price="33.335", service=service, description=""),
            make_line(reduced, quantity="1.5", unit_price="10", discount="10"),
            make_line(vat, unit_price="0.01"),
            make_line(no_tax, unit_price="5"),
        ],
        memo="Thank you\r\nkindly",
    )

    invoice = save_invoice(owner, typed)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.number, invoice.currency, invoice.memo) == (
        "draft",
        None,
        "GBP",
        "Thank you\nkindly",
    )
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("118.52"), Decimal("20.68"), Decimal("139.20"))
    assert list(InvoiceLine.objects.filter(invoice=invoice).values_list("position", "amount", "net", "service")) == [
        (0, Decimal("100.01"), Decimal("100.01"), service.pk),
        (1, Decimal("13.50"), Decimal("13.50"), None),
        (2, Decimal("0.01"), Decimal("0.01"), None),
        (3, Decimal("5.00"), Decimal("5.00"), None),
    ]
    assert list(InvoiceTax.objects.filter(invoice=invoice).order_by("id").values_list("name", "net", "tax")) == [
        ("VAT 20%", Decimal("100.02"), Decimal("20.00")),
        ("VAT 5%", Decimal("13.50"), Decimal("0.68")),
        ("No tax", Decimal("5.00"), Decimal("0.00")),
    ]


def test_save_invoice_inclusive_keeps_the_typed_gross() -> None:
    owner = make_owner()
    vat = get_tax_rate(owner.workspace)
    typed = make_invoice_input(
        make_customer(owner), [make_line(vat, unit_price="20.00")], amounts_are=AmountsAre.INCLUSIVE
    )

    invoice = save_invoice(owner, typed)

    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("16.67"), Decimal("3.33"), Decimal("20.00"))


def test_save_invoice_issued_keeps_its_number_and_raises_the_revision() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    number, revision = invoice.number, invoice.revision
    typed = make_invoice_input(invoice.customer, [make_line(get_tax_rate(owner.workspace), unit_price="80")])

    changed = save_invoice(owner, typed, uuid=invoice.uuid, expected_revision=revision)

    assert (changed.number, changed.revision, changed.total) == (number, revision + 1, Decimal("96.00"))
    assert InvoiceLine.objects.get(invoice=invoice).net == Decimal("80.00")
    assert InvoiceTax.objects.get(invoice=invoice).tax == Decimal("16.00")


def test_save_invoice_unchanged_does_nothing() -> None:
    owner = make_owner()
    vat = get_tax_rate(owner.workspace)
    customer = make_customer(owner)
    typed = make_invoice_input(customer, [make_line(vat, quantity="1.50", unit_price="10.10")])
    invoice = save_invoice(owner, typed)
    entries = Activity.objects.count()

    again = save_invoice(owner, typed, uuid=invoice.uuid)

    assert again.revision == 1
    assert Activity.objects.count() == entries


def test_save_invoice_stale_revision_is_refused_and_changes_nothing() -> None:
    owner = make_owner()
    invoice = make_invoice(owner)
    typed = make_invoice_input(invoice.customer, [make_line(get_no_tax(owner.workspace), unit_price="1")])
    save_invoice(owner, typed, uuid=invoice.uuid, expected_revision=1)

    with pytest.raises(InvoiceChangedMeanwhileError, match="Someone else changed this invoice meanwhile"):
        save_invoice(owner, replace(typed, memo="second"), uuid=invoice.uuid, expected_revision=1)

    invoice.refresh_from_db()
    assert (invoice.revision, invoice.memo, invoice.total) == (2, "", Decimal("1.00"))


@pytest.mark.parametrize("end", ["void", "written_off", "paid"])
def test_save_invoice_ended_is_refused(end: str) -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    match end:
        case "void":
            void_invoice(owner, invoice.uuid)
        case "written_off":
            write_off_invoice(owner, invoice.uuid)
        case _:
            make_payment(owner, invoice)
    typed = make_invoice_input(invoice.customer, [make_line(get_no_tax(owner.workspace))])

    with pytest.raises(InvoiceStatusError) as refusal:
        save_invoice(owner, typed, uuid=invoice.uuid)

    assert (refusal.value.verb, refusal.value.status) == (Verb.EDIT, DisplayStatus(end))
    assert InvoiceLine.objects.get(invoice=invoice).net == Decimal("100.00")


def test_save_invoice_below_what_is_paid_is_refused() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    make_payment(owner, invoice, "100.00")
    typed = make_invoice_input(invoice.customer, [make_line(get_no_tax(owner.workspace), unit_price="99.99")])

    with pytest.raises(InvalidFieldError, match=r"Payments of 100\.00 are recorded") as refusal:
        save_invoice(owner, typed, uuid=invoice.uuid)

    assert refusal.value.field == "lines"
    invoice.refresh_from_db()
    assert invoice.total == Decimal("120.00")


def test_save_invoice_with_payment_refuses_another_customer() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    make_payment(owner, invoice, "1.00")
    other = make_customer(owner, "Someone else")

    with pytest.raises(InvalidFieldError) as refusal:
        save_invoice(owner, make_invoice_input(other, [make_line(get_tax_rate(owner.workspace))]), uuid=invoice.uuid)

    assert refusal.value.field == "customer"


def test_save_invoice_archived_references_only_where_they_stood() -> None:
    owner = make_owner()
    service, rate, customer = make_service(owner), make_tax_rate(owner), make_customer(owner)
    line = make_line(rate, service=service)
    invoice = save_invoice(owner, make_invoice_input(customer, [line]))
    archive_service(owner, service.uuid)
    archive_tax_rate(owner, rate.uuid)
    archive_customer(owner, customer.uuid)

    kept = save_invoice(owner, make_invoice_input(customer, [line, line]), uuid=invoice.uuid)

    assert kept.net == Decimal("200.00")
    fields = []
    other = make_customer(owner, "Active")
    no_tax = get_no_tax(owner.workspace)
    for typed in (
        make_invoice_input(customer, [make_line(no_tax)]),
        make_invoice_input(other, [make_line(no_tax), make_line(rate)]),
        make_invoice_input(other, [make_line(no_tax, service=service)]),
    ):
        with pytest.raises(InvalidFieldError) as refusal:
            save_invoice(owner, typed)
        fields.append(refusal.value.field)
    assert fields == ["customer", "lines.1.tax_rate", "lines.0.service"]


def test_save_invoice_references_of_another_workspace_are_refused_like_unknown_ones() -> None:
    owner, outsider = make_owner(), make_owner("Elsewhere")
    customer, no_tax = make_customer(owner), get_no_tax(owner.workspace)
    foreign_line = make_line(no_tax, service=make_service(outsider))
    cases = {
        "customer": make_invoice_input(make_customer(outsider), [make_line(no_tax)]),
        "lines.0.tax_rate": make_invoice_input(customer, [make_line(get_no_tax(outsider.workspace))]),
        "lines.0.service": make_invoice_input(customer, [foreign_line]),
    }
    unknown = {
        "customer": make_invoice_input(uuid4(), [make_line(no_tax)]),
        "lines.0.tax_rate": make_invoice_input(customer, [replace(make_line(no_tax), tax_rate=uuid4())]),
        "lines.0.service": make_invoice_input(customer, [replace(make_line(no_tax), service=uuid4())]),
    }
    for field, typed in cases.items():
        with pytest.raises(InvalidFieldError) as foreign:
            save_invoice(owner, typed)
        with pytest.raises(InvalidFieldError) as missing:
            save_invoice(owner, unknown[field])
        assert (foreign.value.field, str(foreign.value)) == (field, str(missing.value))
    assert Invoice.objects.count() == 0


def test_save_invoice_total_too_large_is_refused() -> None:
    owner = make_owner()
    line = make_line(get_no_tax(owner.workspace), quantity="999999999.999999", unit_price="9999999999")

    with pytest.raises(InvalidFieldError) as refusal:
        save_invoice(owner, make_invoice_input(make_customer(owner), [line]))

    assert refusal.value.field == "lines.0.quantity"
    assert Invoice.objects.count() == 0


def test_save_invoice_unknown_uuid_is_not_found() -> None:
    owner = make_owner()

    with pytest.raises(RecordNotFoundError):
        save_invoice(
            owner,
            make_invoice_input(make_customer(owner), [make_line(get_no_tax(owner.workspace))]),
            uuid=uuid4(),
        )


def test_save_invoice_takes_as_many_queries_for_fifty_lines_as_for_one() -> None:
    owner = make_owner()
    customer, vat, service = make_customer(owner), get_tax_rate(owner.workspace), make_service(owner)
    counts = []
    for lines in (1, 50):
        typed = make_invoice_input(
            customer, [make_line(vat, service=service)] * lines, issue_date=date(2026, 1, lines % 28 + 1)
        )
        with CaptureQueriesContext(connection) as queries:
            save_invoice(owner, typed)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9
