"""Third-party clients, unmodified: python-quickbooks with intuit-oauth."""

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    QuickbooksException,
    ValidationException,
)
from quickbooks.objects import Account, Customer, Invoice, Item, Payment, PaymentLine
from quickbooks.objects.base import LinkedTxn, Ref
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail

from tests.emulator.running import CLIENT, REDIRECT, Running


@pytest.fixture
def auth(emulator: Running) -> Iterator[AuthClient]:
    with mock.patch.dict(os.environ, {"OAUTHLIB_INSECURE_TRANSPORT": "1"}):
        client = AuthClient(*CLIENT, REDIRECT, f"{emulator.base}/.well-known/openid_sandbox_configuration/")
        yield client
        client.close()


@pytest.fixture
def quickbooks(emulator: Running, auth: AuthClient) -> Iterator[Any]:
    """A python-quickbooks client connected to the US sample company."""
    realm = emulator.reset("us-sample")[0]["realm_id"]
    auth.get_bearer_token(emulator.redirect(realm, scope="com.intuit.quickbooks.accounting openid")["code"][0], realm)
    with mock.patch.object(QuickBooks, "api_url_v3", f"{emulator.base}/v3"):
        client = QuickBooks(auth_client=auth, refresh_token=auth.refresh_token, company_id=realm, minorversion=75)
        yield client
        client.session.close()


def test_authorization_url_leads_to_the_sign_in_page(emulator: Running, auth: AuthClient) -> None:
    url = auth.get_authorization_url([Scopes.ACCOUNTING, Scopes.OPENID], state_token="s")
    page = emulator.http.get(url)
    assert page.status_code == 200
    assert "Sign in" in page.text


def test_intuit_oauth_refreshes_reads_the_user_and_revokes(emulator: Running, auth: AuthClient) -> None:
    realm = emulator.reset("us-sample")[0]["realm_id"]
    auth.get_bearer_token(emulator.redirect(realm, scope="com.intuit.quickbooks.accounting openid")["code"][0], realm)
    first = auth.access_token
    auth.refresh()
    assert auth.access_token != first
    assert auth.get_user_info().json()["email"] == "bookkeeper@example.com"
    assert auth.revoke() is True
    with pytest.raises(AuthClientError) as refused:
        auth.refresh()
    assert refused.value.status_code == 400


def _invoice(customer: Any, item: Any, amount: str) -> Any:
    line = SalesItemLine()
    line.Amount = float(amount)
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = item.to_ref()
    invoice = Invoice()
    invoice.CustomerRef = customer.to_ref()
    invoice.Line.append(line)
    return invoice


def _customer_and_item(quickbooks: Any) -> tuple[Any, Any]:
    customer = Customer()
    customer.DisplayName = "Zoë's Garden & Co"
    customer.save(qb=quickbooks)
    item = Item()
    item.Name, item.Type = "Advice", "Service"
    item.IncomeAccountRef = Account.get(1, qb=quickbooks).to_ref()
    item.save(qb=quickbooks)
    return customer, item


def test_python_quickbooks_creates_queries_updates_and_deletes(quickbooks: Any) -> None:
    customer, item = _customer_and_item(quickbooks)
    invoice = _invoice(customer, item, "100.5")
    invoice.save(qb=quickbooks)
    [found] = Invoice.filter(CustomerRef=customer.Id, qb=quickbooks)
    assert (found.SyncToken, found.DocNumber, Decimal(str(found.TotalAmt))) == ("0", "1017", Decimal("100.5"))
    found.PrivateNote = "changed"
    found.save(qb=quickbooks)
    changed = Invoice.get(found.Id, qb=quickbooks)
    assert (changed.SyncToken, changed.PrivateNote, changed.TotalAmt) == ("1", "changed", Decimal("100.5"))
    assert Invoice.count(qb=quickbooks) == 17
    [by_name] = Customer.where("DisplayName = 'Zoë\\'s Garden & Co'", qb=quickbooks)
    assert by_name.Id == customer.Id
    changed.delete(qb=quickbooks)
    with pytest.raises(ObjectNotFoundException) as gone:
        Invoice.get(found.Id, qb=quickbooks)
    assert gone.value.error_code == 610


def test_python_quickbooks_pays_and_voids(quickbooks: Any) -> None:
    customer, item = _customer_and_item(quickbooks)
    invoice = _invoice(customer, item, "40")
    invoice.save(qb=quickbooks)
    line = PaymentLine()
    line.Amount = 40
    link = LinkedTxn()
    link.TxnId, link.TxnType = invoice.Id, "Invoice"
    line.LinkedTxn.append(link)
    payment = Payment()
    payment.CustomerRef, payment.TotalAmt = customer.to_ref(), 40
    payment.Line.append(line)
    payment.save(qb=quickbooks)
    assert Invoice.get(invoice.Id, qb=quickbooks).Balance == 0
    payment.void(qb=quickbooks)
    reopened = Invoice.get(invoice.Id, qb=quickbooks)
    assert reopened.Balance == 40
    reopened.void(qb=quickbooks)
    assert Invoice.get(invoice.Id, qb=quickbooks).PrivateNote == "Voided"


def test_python_quickbooks_sees_its_own_exceptions(quickbooks: Any, emulator: Running) -> None:
    customer = Customer()
    customer.DisplayName = "Amy's Bird Sanctuary"
    with pytest.raises(QuickbooksException) as taken:
        customer.save(qb=quickbooks)
    assert taken.value.error_code == 6240
    with pytest.raises(ValidationException) as wrong:
        quickbooks.query("select * from Custmoer")
    assert wrong.value.detail == "QueryValidationError: invalid context declaration: Custmoer"
    emulator.control("POST", "tokens/expire")
    with pytest.raises(AuthorizationException):
        Customer.get(1, qb=quickbooks)


def test_python_quickbooks_batches(quickbooks: Any) -> None:
    names = ["Batch one", "Batch two", "Amy's Bird Sanctuary"]
    customers = []
    for name in names:
        customer = Customer()
        customer.DisplayName = name
        customers.append(customer)
    result = batch_create(customers, qb=quickbooks)
    assert sorted(each.DisplayName for each in result.successes) == names[:2]
    [fault] = result.faults
    assert [error.code for error in fault.Error] == ["6240"]


def test_requestid_argument_of_python_quickbooks_is_honored(quickbooks: Any) -> None:
    first, second = Customer(), Customer()
    first.DisplayName = second.DisplayName = "Only once"
    first.save(qb=quickbooks, request_id="r-1")
    second.save(qb=quickbooks, request_id="r-1")
    assert first.Id == second.Id
    assert isinstance(first.to_ref(), Ref)
