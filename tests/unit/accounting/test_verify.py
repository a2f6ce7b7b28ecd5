"""Verify after send: figures, and answers that can't be to what was sent."""

from datetime import date
from decimal import Decimal

import pytest

from cone.accounting.port.documents import AllocationDocument, RemoteRecord
from cone.accounting.verify import (
    Expected,
    ExpectedPayment,
    expected_of,
    find_difference,
    is_somebody_elses,
    is_tax_alone,
    read_expected,
)
from cone.kit.values import replace
from tests.unit.accounting.builders import INVOICE, NAMED

SENT = Expected("INV-0042", "GBP", Decimal("100.00"), Decimal("20.00"), Decimal("120.00"), "58")
ANSWER = RemoteRecord(
    kind="invoice",
    remote_id="130",
    version="0",
    number="INV-0042",
    total=Decimal("120.00"),
    tax=Decimal("20.00"),
    marker=str(INVOICE),
    customer_id="58",
)
ROUNDED = "The tax is rounded differently: per line on one side, per invoice on the other."
OTHER_TAX = "The mapped tax code charges another percentage, or the company computes sales tax by itself."
LINES = "The amounts of the lines differ."


def test_decimals_that_a_currency_has_only_there_are_shown() -> None:
    sent = Expected("INV-0042", "JPY", Decimal(1001), Decimal(200), Decimal(1201), "58")
    answer = replace(ANSWER, total=Decimal("1201.20"), tax=Decimal("200.20"))
    found = find_difference(sent, answer)
    assert found is not None
    assert (found["ours"], found["theirs"], found["amounts_in"]) == ("1201", "1201.20", "JPY")
    assert found["reason"] == "JPY has fewer decimals here than there."


def test_tax_alone_differs_where_the_rest_of_the_total_is_as_sent() -> None:
    assert is_tax_alone(SENT, replace(ANSWER, total=Decimal("108.00"), tax=Decimal("8.00")))
    # Prices that include the tax: the total stands, and the net is what differs with the tax.
    assert is_tax_alone(SENT, replace(ANSWER, total=SENT.total, tax=Decimal("8.00")))
    assert not is_tax_alone(SENT, replace(ANSWER, total=Decimal("110.00"), tax=Decimal("8.00")))
    assert not is_tax_alone(SENT, replace(ANSWER, total=Decimal("110.00")))
    assert not is_tax_alone(None, ANSWER)


@pytest.mark.parametrize(
    ("answer", "what", "ours", "theirs", "reason"),
    [
        (replace(ANSWER, total=Decimal("120.01"), tax=Decimal("20.01")), "total", "120.00", "120.01", ROUNDED),
        (replace(ANSWER, total=Decimal("120.05"), tax=Decimal("20.05")), "total", "120.00", "120.05", ROUNDED),
        (
            replace(ANSWER, total=Decimal("120.06"), tax=Decimal("20.06")),
            "total",
            "120.00",
            "120.06",
            OTHER_TAX,
        ),
        (replace(ANSWER, total=Decimal(100), tax=Decimal(0)), "total", "120.00", "100", OTHER_TAX),
        (replace(ANSWER, total=Decimal("1320.00")), "total", "120.00", "1320.00", LINES),
        (replace(ANSWER, total=Decimal("119.00"), tax=None), "total", "120.00", "119.00", LINES),
        # Same total with inclusive prices: what moved from net to tax is the tax's doing.
        (replace(ANSWER, tax=Decimal("20.01")), "tax", "20.00", "20.01", ROUNDED),
        (replace(ANSWER, tax=Decimal(0)), "tax", "20.00", "0", OTHER_TAX),
        (
            replace(ANSWER, number="1042"),
            "number",
            "INV-0042",
            "1042",
            "The company numbers its invoices by itself, although this one came with a number.",
        ),
    ],
)
def test_difference_names_both_figures_and_the_likely_reason(
    answer: RemoteRecord, what: str, ours: str, theirs: str, reason: str
) -> None:
    assert find_difference(SENT, answer) == {
        "what": what,
        "number": "INV-0042",
        "ours": ours,
        "theirs": theirs,
        "reason": reason,
        **({} if what == "number" else {"amounts_in": "GBP"}),
    }


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        replace(ANSWER, total=Decimal("120.0"), tax=Decimal(20)),  # the same figures in other digits
        replace(ANSWER, balance=Decimal(0)),  # paid there: no error
        replace(ANSWER, number=None, tax=None),  # not said is not different
    ],
)
def test_equal_answer_has_no_difference(answer: RemoteRecord) -> None:
    assert find_difference(SENT, answer) is None


def test_kinds_without_figures_expect_nothing() -> None:
    assert expected_of(NAMED) is None
    assert find_difference(None, replace(ANSWER, total=Decimal(1))) is None


def test_expected_figures_survive_json_exactly() -> None:
    sent = replace(SENT, net=Decimal("33333333333333.335"), currency="KWD")
    assert read_expected(sent.to_json()) == sent
    assert read_expected(None) is None


@pytest.mark.parametrize(
    ("expected", "answer", "is_other"),
    [
        (SENT, ANSWER, False),
        (SENT, replace(ANSWER, marker=""), False),  # someone emptied the note there
        (SENT, replace(ANSWER, marker="another-record"), True),
        (SENT, replace(ANSWER, customer_id="59"), True),
        (SENT, replace(ANSWER, customer_id=None), False),
        (None, replace(ANSWER, customer_id="59"), False),
        (None, replace(ANSWER, marker="another-record"), True),
    ],
)
def test_somebody_elses_answer_is_recognized(expected: Expected | None, answer: RemoteRecord, is_other: bool) -> None:
    assert is_somebody_elses(expected, answer, marker=str(INVOICE)) is is_other


PAYMENT = ExpectedPayment(
    currency="GBP",
    total=Decimal("150.00"),
    deposit_account_id="35",
    applied={"155": Decimal("100.00"), "156": Decimal("20.00")},
    customer_id="58",
    received_date=date(2026, 11, 5),
)
PAID = RemoteRecord(
    kind="payment",
    remote_id="180",
    version="0",
    total=Decimal("150.00"),
    deposit_account_id="35",
    customer_id="58",
    unapplied=Decimal("30.00"),
    applied=(AllocationDocument("155", Decimal("100.00")), AllocationDocument("156", Decimal("20.00"))),
)


def test_payment_as_sent_has_no_difference_and_survives_json() -> None:
    assert find_difference(PAYMENT, PAID) is None
    assert read_expected(PAYMENT.to_json()) == PAYMENT


def test_rest_that_was_applied_to_another_invoice_there_is_no_error() -> None:
    applied = (*PAID.applied, AllocationDocument("99", Decimal("30.00")))
    assert find_difference(PAYMENT, replace(PAID, applied=applied, unapplied=Decimal(0))) is None


@pytest.mark.parametrize(
    ("answer", "what", "ours", "theirs"),
    [
        (replace(PAID, total=Decimal("151.00")), "amount", "150.00", "151.00"),
        (
            replace(PAID, applied=PAID.applied[:1], unapplied=Decimal("50.00")),
            "amount applied to invoices",
            "120.00",
            "100.00",
        ),
        (replace(PAID, unapplied=Decimal("29.99")), "rest that isn't applied", "30.00", "29.99"),
        (replace(PAID, deposit_account_id="4"), "account it was paid into", "the default account", "another one"),
    ],
)
def test_payment_that_differs_says_in_what(answer: RemoteRecord, what: str, ours: str, theirs: str) -> None:
    found = find_difference(PAYMENT, answer)
    assert found is not None
    assert (found["what"], found["ours"], found["theirs"]) == (what, ours, theirs)
    assert found.get("amounts_in") == ("GBP" if what != "account it was paid into" else None)


def test_answer_of_another_payment_or_customer_is_somebody_elses() -> None:
    assert not is_somebody_elses(PAYMENT, PAID, marker=str(INVOICE))
    assert is_somebody_elses(PAYMENT, replace(PAID, customer_id="59"), marker=str(INVOICE))
    assert is_somebody_elses(PAYMENT, replace(PAID, marker=str(NAMED.uuid)), marker=str(INVOICE))


OWN_RATE = replace(SENT, currency="EUR", exchange_rate=Decimal("0.8512345678"))


@pytest.mark.parametrize("theirs", [None, "0.8512345678", "0.851235", "0.851234", "0.8512345", "0.85123457"])
def test_rate_is_equal_as_far_as_it_is_told(theirs: str | None) -> None:
    answer = replace(ANSWER, exchange_rate=None if theirs is None else Decimal(theirs))
    assert find_difference(OWN_RATE, answer) is None


@pytest.mark.parametrize("theirs", ["0.85", "0.851236", "1", "0.8512347"])
def test_another_rate_there_is_told_with_both(theirs: str) -> None:
    assert find_difference(OWN_RATE, replace(ANSWER, exchange_rate=Decimal(theirs))) == {
        "what": "exchange rate",
        "number": "INV-0042",
        "ours": "0.8512345678",
        "theirs": theirs,
        "reason": "The company took another rate than the one sent.",
    }


def test_rate_that_was_rounded_is_told_where_it_shows_at_home() -> None:
    few = replace(SENT, currency="IDR", total=Decimal(90_000_000), tax=Decimal(0), exchange_rate=Decimal("0.0000615"))
    answer = replace(ANSWER, total=few.total, tax=few.tax, exchange_rate=Decimal("0.000062"))
    difference = find_difference(few, answer)
    assert difference is not None
    assert (difference["ours"], difference["theirs"]) == ("0.0000615", "0.000062")
    assert "fewer decimals" in difference["reason"]
    little = replace(few, total=Decimal(9000))
    assert find_difference(little, replace(answer, total=little.total)) is None


def test_rate_of_theirs_is_no_difference_where_we_sent_none() -> None:
    assert find_difference(SENT, replace(ANSWER, exchange_rate=Decimal("0.85"))) is None
    assert read_expected(OWN_RATE.to_json()) == OWN_RATE
    assert "exchange_rate" not in SENT.to_json()


def test_rate_of_a_payment_is_compared_and_stored_too() -> None:
    sent = ExpectedPayment("EUR", Decimal(150), "35", {}, "58", date(2026, 11, 5), Decimal("0.85"))
    answer = RemoteRecord(kind="payment", remote_id="9", version="0", total=Decimal(150), exchange_rate=Decimal("0.86"))
    difference = find_difference(sent, answer)
    assert difference is not None
    assert (difference["what"], difference["ours"], difference["theirs"]) == ("exchange rate", "0.85", "0.86")
    assert find_difference(sent, replace(answer, exchange_rate=Decimal("0.850"))) is None
    assert read_expected(sent.to_json()) == sent
