"""Issuing: gap-free numbers, whoever issues at the same moment; the present percentage; one outbox row."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cone.books.models import Activity, Counter, Invoice, InvoiceTax, TaxRate
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import InvoiceStatusError
from cone.domain.tax_rates import TaxPercentSettledError, TaxRateInput
from cone.domain.workspaces import WorkspaceInput
from cone.operations.archive_customer import archive_customer
from cone.operations.issue_invoice import issue_invoice
from cone.operations.save_tax_rate import save_tax_rate
from cone.operations.save_workspace import save_workspace
from tests.builders import make_customer, make_invoice, make_line, make_owner, make_tax_rate
from tests.integration.books.threads import at_once


@pytest.mark.django_db
def test_issue_invoice_takes_the_next_number() -> None:
    owner = make_owner()
    drafts = [make_invoice(owner) for _ in range(3)]

    issued = [issue_invoice(owner, draft.uuid) for draft in reversed(drafts)]

    assert [invoice.number for invoice in issued] == ["INV-0001", "INV-0002", "INV-0003"]
    assert [(invoice.status, invoice.revision) for invoice in issued] == [("issued", 2)] * 3
    assert Counter.objects.get(workspace=owner.workspace).next_value == 4
    sentence = Activity.objects.get(record_uuid=drafts[0].uuid, verb="issued")
    assert (sentence.detail, sentence.actor) == ({"number": "INV-0003"}, owner.user)


@pytest.mark.django_db
def test_issue_invoice_numbers_are_counted_per_workspace() -> None:
    numbers = [make_invoice(make_owner(name), is_issued=True).number for name in ("One", "Two")]
    assert numbers == ["INV-0001", "INV-0001"]


@pytest.mark.django_db
def test_issue_invoice_new_prefix_goes_on_counting_and_leaves_old_numbers() -> None:
    owner = make_owner()
    first = make_invoice(owner, is_issued=True)
    save_workspace(owner, WorkspaceInput(name="Firm", country="GB", invoice_prefix="R/"))

    second = make_invoice(owner, is_issued=True)

    first.refresh_from_db()
    assert (first.number, second.number) == ("INV-0001", "R/0002")


@pytest.mark.django_db
def test_issue_invoice_rolled_back_takes_no_number() -> None:
    owner = make_owner()
    draft = make_invoice(owner)
    with transaction.atomic():
        issue_invoice(owner, draft.uuid)
        transaction.set_rollback(True)

    assert issue_invoice(owner, draft.uuid).number == "INV-0001"


@pytest.mark.django_db
def test_issue_invoice_twice_is_refused_and_keeps_the_number() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)

    with pytest.raises(InvoiceStatusError, match="This invoice is issued already"):
        issue_invoice(owner, invoice.uuid)

    invoice.refresh_from_db()
    assert (invoice.number, Counter.objects.get().next_value) == ("INV-0001", 2)


@pytest.mark.django_db
def test_issue_invoice_of_archived_customer_is_refused_and_takes_no_number() -> None:
    owner = make_owner()
    draft = make_invoice(owner)
    archive_customer(owner, draft.customer.uuid)

    with pytest.raises(InvalidFieldError) as refusal:
        issue_invoice(owner, draft.uuid)

    assert (refusal.value.field, Counter.objects.get().next_value) == ("customer", 1)


@pytest.mark.django_db
def test_issue_invoice_takes_the_present_percentage_which_is_then_settled() -> None:
    owner = make_owner()
    rate = make_tax_rate(owner, "Levy", percent=Decimal(10))
    draft = make_invoice(owner, lines=[make_line(rate)])
    save_tax_rate(owner, TaxRateInput("Levy", Decimal(15)), uuid=rate.uuid)

    issued = issue_invoice(owner, draft.uuid)

    assert (issued.net, issued.tax, issued.total) == (Decimal(100), Decimal(15), Decimal(115))
    assert list(InvoiceTax.objects.filter(invoice=issued).values_list("percent", "tax")) == [(Decimal(15), Decimal(15))]
    with pytest.raises(TaxPercentSettledError):
        save_tax_rate(owner, TaxRateInput("Levy", Decimal(16)), uuid=rate.uuid)
    rate.refresh_from_db()
    assert rate.percent == 15


@pytest.mark.django_db
def test_issue_invoice_is_a_handful_of_queries() -> None:
    owner = make_owner()
    draft = make_invoice(owner)
    with CaptureQueriesContext(connection) as queries:
        issue_invoice(owner, draft.uuid)
    assert len(queries) <= 19


@pytest.mark.django_db(transaction=True)
def test_issue_invoice_eight_at_once_have_eight_numbers_without_a_gap() -> None:
    owner = make_owner()
    customer = make_customer(owner)
    drafts = [make_invoice(owner, customer) for _ in range(8)]

    at_once([partial(issue_invoice, owner, draft.uuid) for draft in drafts])

    numbers = sorted(number for number in Invoice.objects.values_list("number", flat=True) if number)
    assert numbers == [f"INV-{value:04d}" for value in range(1, 9)]
    assert Counter.objects.get().next_value == 9


@pytest.mark.django_db(transaction=True)
def test_issue_invoice_same_draft_twice_at_once_is_issued_once() -> None:
    owner = make_owner()
    draft = make_invoice(owner)

    answers = at_once([partial(issue_invoice, owner, draft.uuid)] * 2)

    assert sum(isinstance(answer, InvoiceStatusError) for answer in answers) == 1
    assert Counter.objects.get().next_value == 2
    assert Activity.objects.filter(verb="issued").count() == 1


@pytest.mark.django_db(transaction=True)
def test_issue_invoice_while_its_rate_changes_never_keeps_another_percentage_than_the_rate() -> None:
    owner = make_owner()
    for percent in range(1, 6):
        rate = make_tax_rate(owner, f"Levy {percent}", percent=Decimal(50))
        draft = make_invoice(owner, lines=[make_line(rate)])

        acts: list[Callable[[], Invoice | TaxRate]] = [
            partial(issue_invoice, owner, draft.uuid),
            partial(save_tax_rate, owner, TaxRateInput(rate.name, Decimal(percent)), uuid=rate.uuid),
        ]

        issued, changed = at_once(acts)

        assert isinstance(issued, Invoice)
        assert isinstance(changed, TaxRate | TaxPercentSettledError)
        rate.refresh_from_db()
        draft.refresh_from_db()
        assert draft.tax == rate.percent
