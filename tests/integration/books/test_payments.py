"""Payments: in full, in part, of several invoices, two at once, and taken back."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from cone.books.models import Activity, Invoice, Payment, PaymentAllocation
from cone.books.queries.invoice import get_invoice
from cone.books.queries.payments import get_payment, list_payments
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import DisplayStatus
from cone.domain.payments import AllocationInput, PaymentAlreadyVoidError, PaymentChangedMeanwhileError, PaymentInput
from cone.kit.money import Money
from cone.operations.edit_payment import edit_payment
from cone.operations.record_payment import record_payment
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from tests.builders import make_customer, make_invoice, make_owner, make_payment
from tests.integration.books.threads import at_once

TODAY = date(2026, 11, 23)


def typed_for(*parts: tuple[Invoice, str]) -> PaymentInput:
    return PaymentInput(
        customer=parts[0][0].customer.uuid,
        received_date=TODAY,
        amount=sum((Decimal(amount) for _, amount in parts), start=Decimal(0)),
        allocations=tuple(AllocationInput(invoice.uuid, Decimal(amount)) for invoice, amount in parts),
        method="Bank transfer",
        reference="BACS 1",
    )


@pytest.mark.django_db
def test_record_payment_of_several_invoices_pays_each_its_part() -> None:
    owner = make_owner()
    customer = make_customer(owner)
    first, second = (make_invoice(owner, customer, is_issued=True) for _ in range(2))

    payment = record_payment(owner, typed_for((first, "120.00"), (second, "20.50")))

    views = [get_invoice(owner.workspace, invoice.uuid, today=TODAY) for invoice in (first, second)]
    assert [(view.status, view.paid, view.balance) for view in views] == [
        (DisplayStatus.PAID, Money(Decimal("120.00"), "GBP"), Money(Decimal("0.00"), "GBP")),
        (DisplayStatus.OPEN, Money(Decimal("20.50"), "GBP"), Money(Decimal("99.50"), "GBP")),
    ]
    shown = get_payment(owner.workspace, payment.uuid)
    assert (shown.row.amount, shown.row.reference, shown.row.is_void) == (
        Money(Decimal("140.50"), "GBP"),
        "BACS 1",
        False,
    )
    assert [(part.invoice_number, part.amount.amount) for part in shown.allocations] == [
        ("INV-0001", Decimal("120.00")),
        ("INV-0002", Decimal("20.50")),
    ]
    assert Activity.objects.filter(verb="payment_recorded").count() == 2


@pytest.mark.django_db
def test_void_payment_makes_its_invoices_owed_again_once() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    kept, bounced = make_payment(owner, invoice, "20.00"), make_payment(owner, invoice, "100.00")

    void_payment(owner, bounced.uuid)
    with pytest.raises(PaymentAlreadyVoidError):
        void_payment(owner, bounced.uuid)

    view = get_invoice(owner.workspace, invoice.uuid, today=TODAY)
    assert (view.paid.amount, view.status) == (Decimal("20.00"), DisplayStatus.OPEN)
    assert [(part.payment_uuid, part.is_void) for part in view.payments] == [(kept.uuid, False), (bounced.uuid, True)]


@pytest.mark.django_db
def test_record_payment_refused_leaves_nothing() -> None:
    owner, outsider = make_owner(), make_owner("Elsewhere")
    open_invoice, draft, voided = (
        make_invoice(owner, is_issued=True),
        make_invoice(owner),
        make_invoice(owner, is_issued=True),
    )
    void_invoice(owner, voided.uuid)
    foreign = make_invoice(outsider, is_issued=True)
    other_customers = make_invoice(owner, make_customer(owner, "Other"), is_issued=True)
    first_part = typed_for((open_invoice, "1.00")).allocations[0]
    cases = [
        (
            typed_for((open_invoice, "120.01")),
            "allocations.0.amount",
            "Only GBP 120.00 is owed on this invoice; pay that or less.",
        ),
        (typed_for((draft, "1.00")), "allocations.0.invoice", "A draft can't take a payment: issue it first"),
        (typed_for((voided, "1.00")), "allocations.0.invoice", "A void invoice can't take a payment"),
        (typed_for((foreign, "1.00")), "customer", "Choose a customer from the list."),
        (
            replace(
                typed_for((open_invoice, "2.00")),
                allocations=(first_part, AllocationInput(other_customers.uuid, Decimal(1))),
            ),
            "allocations.1.invoice",
            "Choose an invoice of this customer.",
        ),
        (
            replace(typed_for((open_invoice, "1.00")), allocations=(AllocationInput(foreign.uuid, Decimal(1)),)),
            "allocations.0.invoice",
            "Choose an invoice of this customer.",
        ),
    ]
    for typed, field, message in cases:
        with pytest.raises(InvalidFieldError) as refusal:
            record_payment(owner, typed)
        assert refusal.value.field == field
        assert str(refusal.value).startswith(message)
    assert (Payment.objects.count(), PaymentAllocation.objects.count()) == (0, 0)
    assert not Invoice.objects.exclude(paid=0).exists()


@pytest.mark.django_db(transaction=True)
def test_record_payment_two_at_once_never_pay_more_than_is_owed() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)

    answers = at_once([partial(record_payment, owner, typed_for((invoice, "70.00")))] * 2)

    assert sum(isinstance(answer, InvalidFieldError) for answer in answers) == 1
    invoice.refresh_from_db()
    assert (invoice.paid, Payment.objects.count()) == (Decimal(70), 1)


@pytest.mark.django_db(transaction=True)
def test_record_payment_of_the_same_invoices_in_other_orders_does_not_deadlock() -> None:
    owner = make_owner()
    customer = make_customer(owner)
    first, second = (make_invoice(owner, customer, is_issued=True) for _ in range(2))

    answers = at_once(
        [
            partial(record_payment, owner, typed_for(*order))
            for order in (((first, "1.00"), (second, "1.00")), ((second, "1.00"), (first, "1.00"))) * 3
        ]
    )

    assert all(isinstance(answer, Payment) for answer in answers)
    assert set(Invoice.objects.values_list("paid", flat=True)) == {Decimal(6)}


@pytest.mark.django_db(transaction=True)
def test_edit_payment_beside_a_new_one_never_pays_more_than_is_owed_or_was_received() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    payment = record_payment(owner, typed_for((invoice, "50.00")))

    answers = at_once(
        [
            partial(edit_payment, owner, typed_for((invoice, "90.00")), uuid=payment.uuid),
            partial(record_payment, owner, typed_for((invoice, "60.00"))),
        ]
    )

    assert sum(isinstance(answer, InvalidFieldError) for answer in answers) == 1
    invoice.refresh_from_db()
    assert invoice.paid == sum(part.amount for part in PaymentAllocation.objects.all())
    assert invoice.paid <= invoice.total


@pytest.mark.django_db(transaction=True)
def test_edit_payment_two_at_once_the_second_is_told() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    payment = record_payment(owner, typed_for((invoice, "50.00")))
    edits = [
        partial(edit_payment, owner, typed_for((invoice, amount)), uuid=payment.uuid, expected_revision=1)
        for amount in ("60.00", "70.00")
    ]

    answers = at_once(edits)

    assert sum(isinstance(answer, PaymentChangedMeanwhileError) for answer in answers) == 1
    payment.refresh_from_db()
    assert (payment.revision, payment.allocated) == (2, payment.amount)


@pytest.mark.django_db(transaction=True)
def test_void_payment_while_it_is_edited_leaves_nothing_paid() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    payment = record_payment(owner, typed_for((invoice, "50.00")))

    at_once(
        [
            partial(edit_payment, owner, typed_for((invoice, "60.00")), uuid=payment.uuid),
            partial(void_payment, owner, payment.uuid),
        ]
    )

    invoice.refresh_from_db()
    assert invoice.paid == 0


@pytest.mark.django_db
def test_edit_payment_refused_leaves_all_as_it_was() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    other = make_invoice(owner, make_customer(owner, "Other"), is_issued=True)
    payment = make_payment(owner, invoice, "50.00")
    cases = [
        (typed_for((invoice, "120.01")), "allocations.0.amount"),
        (typed_for((other, "1.00")), "customer"),
        (replace(typed_for((invoice, "50.00")), amount=Decimal("49.99")), "amount"),
    ]
    for typed, field in cases:
        with pytest.raises(InvalidFieldError) as refusal:
            edit_payment(owner, typed, uuid=payment.uuid)
        assert refusal.value.field == field
    void_payment(owner, payment.uuid)
    with pytest.raises(PaymentAlreadyVoidError):
        edit_payment(owner, typed_for((invoice, "1.00")), uuid=payment.uuid)
    payment.refresh_from_db()
    assert (payment.amount, payment.revision) == (Decimal(50), 2)


@pytest.mark.django_db
def test_database_refuses_more_allocated_than_received() -> None:
    owner = make_owner()
    payment = make_payment(owner, make_invoice(owner, is_issued=True), "50.00")
    with pytest.raises(IntegrityError, match="payment_allocated_in_range"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(allocated=Decimal("50.01"))


@pytest.mark.django_db
def test_list_payments_searches_and_pages() -> None:
    owner = make_owner()
    make_payment(owner, make_invoice(owner, make_customer(owner, "Ashdown"), is_issued=True))
    make_payment(owner, make_invoice(owner, make_customer(owner, "Beacon"), is_issued=True))

    assert [row.customer_name for row in list_payments(owner.workspace).items] == ["Beacon", "Ashdown"]
    assert [row.customer_name for row in list_payments(owner.workspace, search="ash").items] == ["Ashdown"]


@pytest.mark.django_db
def test_database_refuses_more_paid_than_the_total() -> None:
    invoice = make_invoice(make_owner(), is_issued=True)
    with pytest.raises(IntegrityError, match="invoice_paid_in_range"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(paid=Decimal("120.01"))
