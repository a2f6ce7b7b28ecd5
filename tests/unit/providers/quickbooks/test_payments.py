"""Payments, voids and deletes in QuickBooks' words, and its answers to them as the port's values."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cone.accounting.port.company import CompanyFacts
from cone.accounting.port.documents import (
    AllocationDocument,
    Create,
    Delete,
    PaymentDocument,
    RemoteRecord,
    Update,
    Void,
)
from cone.accounting.port.verdicts import CauseCode, RejectedError
from cone.providers.quickbooks import reading, wire
from cone.providers.quickbooks.mapping import is_deletion, prepare

from .builders import UUID_ONE, a_company, a_payment

_EXACT = msgspec.json.Decoder(float_hook=Decimal)
LINES = [
    {"Amount": 100, "LinkedTxn": [{"TxnId": "155", "TxnType": "Invoice"}]},
    {"Amount": Decimal("20.5"), "LinkedTxn": [{"TxnId": "156", "TxnType": "Invoice"}]},
]


def body_of(document: PaymentDocument, facts: CompanyFacts | None = None) -> Any:
    return _EXACT.decode(prepare(Create(document), facts or a_company()).body)


def test_payment_is_written_whole() -> None:
    assert prepare(Create(a_payment()), a_company()).line == "POST /payment?minorversion=75"
    assert body_of(a_payment()) == {
        "CustomerRef": {"value": "58"},
        "TotalAmt": 150,
        "TxnDate": "2026-11-05",
        "DepositToAccountRef": {"value": "35"},
        "PaymentRefNum": "BACS 7",
        "PrivateNote": f"cone:{UUID_ONE}\nPaid by: Bank transfer",
        "Line": LINES,
    }


def test_payment_names_the_companys_own_method_and_currency() -> None:
    body = body_of(a_payment(method_id="3", currency="EUR"), a_company(is_multicurrency=True))
    assert (body["PaymentMethodRef"], body["CurrencyRef"]) == ({"value": "3"}, {"value": "EUR"})
    assert body["PrivateNote"] == f"cone:{UUID_ONE}"


def test_payment_on_account_has_no_lines() -> None:
    body = body_of(a_payment(allocations=(), reference="", method=""))
    assert not {"Line", "PaymentRefNum", "PaymentMethodRef"} & body.keys()


def test_update_of_a_payment_has_every_line_and_leaves_the_note() -> None:
    changed = prepare(Update(a_payment(reference=""), "180", "4", has_text=True), a_company())
    assert _EXACT.decode(changed.body) == {
        "Id": "180",
        "SyncToken": "4",
        "sparse": True,
        "CustomerRef": {"value": "58"},
        "TotalAmt": 150,
        "TxnDate": "2026-11-05",
        "DepositToAccountRef": {"value": "35"},
        "PaymentRefNum": "",
        "Line": LINES,
    }
    assert _EXACT.decode(prepare(Update(a_payment(allocations=()), "180", "4"), a_company()).body)["Line"] == []


def test_update_leaves_a_reference_that_was_never_ours() -> None:
    changed = prepare(Update(a_payment(reference=""), "180", "4"), a_company())
    assert "PaymentRefNum" not in _EXACT.decode(changed.body)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"deposit_account_id": ""}, CauseCode.DEFAULT_ACCOUNT_MISSING),
        ({"reference": "x" * 22}, CauseCode.REFERENCE_TOO_LONG),
        ({"currency": "EUR"}, CauseCode.CURRENCY_UNSUPPORTED),
    ],
)
def test_payment_that_cant_be_taken_is_refused_before_sending(changes: dict[str, Any], cause: CauseCode) -> None:
    with pytest.raises(RejectedError) as caught:
        prepare(Create(a_payment(**changes)), a_company())
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("step", "line", "body"),
    [
        (
            Void("invoice", UUID_ONE, 2, "155", "4"),
            "POST /invoice?operation=void&minorversion=75",
            {"Id": "155", "SyncToken": "4"},
        ),
        (
            Void("payment", UUID_ONE, 2, "180", "4"),
            "POST /payment?operation=update&include=void&minorversion=75",
            {"Id": "180", "SyncToken": "4", "sparse": True},
        ),
        (
            Delete("invoice", UUID_ONE, 2, "155", "4"),
            "POST /invoice?operation=delete&minorversion=75",
            {"Id": "155", "SyncToken": "4"},
        ),
        (
            Delete("payment", UUID_ONE, 2, "180", "4"),
            "POST /payment?operation=delete&minorversion=75",
            {"Id": "180", "SyncToken": "4"},
        ),
    ],
)
def test_void_and_delete_carry_id_and_version_alone(step: Void | Delete, line: str, body: dict[str, Any]) -> None:
    request = prepare(step, a_company())
    assert (request.line, _EXACT.decode(request.body)) == (line, body)
    assert is_deletion(request.line) is isinstance(step, Delete)


def test_customers_are_never_voided_or_deleted() -> None:
    for kind in (Void, Delete):
        with pytest.raises(RejectedError):
            prepare(kind("customer", UUID_ONE, 2, "58", "4"), a_company())


def payment_of(**changes: Any) -> RemoteRecord:
    given: dict[str, Any] = {
        "Id": "180",
        "SyncToken": "2",
        "TotalAmt": 150.10,
        "UnappliedAmt": 29.60,
        "PaymentRefNum": "BACS 7",
        "PrivateNote": f"cone:{UUID_ONE}\nPaid by: Bank transfer",
        "CustomerRef": {"value": "58", "name": "Example Ltd"},
        "DepositToAccountRef": {"value": "35"},
        "Line": [
            {"Amount": 100, "LinkedTxn": [{"TxnId": "155", "TxnType": "Invoice"}]},
            {"Amount": 20.5, "LinkedTxn": [{"TxnId": "156", "TxnType": "Invoice"}]},
            {"Amount": 5, "LinkedTxn": [{"TxnId": "9", "TxnType": "CreditMemo"}]},
        ],
    }
    body = msgspec.json.encode({"Payment": given | changes})
    return reading.payment_record(msgspec.json.decode(body, type=wire.PaymentAnswer).payment)


def test_payment_is_read_whole_and_exactly() -> None:
    assert payment_of() == RemoteRecord(
        kind="payment",
        remote_id="180",
        version="2",
        number="BACS 7",
        total=Decimal("150.1"),
        deposit_account_id="35",
        marker=str(UUID_ONE),
        customer_id="58",
        unapplied=Decimal("29.6"),
        applied=(AllocationDocument("155", Decimal(100)), AllocationDocument("156", Decimal("20.5"))),
    )


@pytest.mark.parametrize(
    ("note", "total", "standing"),
    [("Voided", 0, "void"), (f"Voided - cone:{UUID_ONE}", 0, "void"), ("Voided", 1, "live"), (None, 0, "live")],
)
def test_void_is_told_by_note_and_zero(note: str | None, total: int, standing: str) -> None:
    assert payment_of(PrivateNote=note, TotalAmt=total).standing == standing
