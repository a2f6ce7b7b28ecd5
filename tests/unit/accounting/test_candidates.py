"""What was sent, and what stands there, decide together what became of a create."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from cone.accounting.candidates import Undecided, judge
from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.sent import SentRecord

UUID = uuid4()
SENT_AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
INVOICE = SentRecord(kind="invoice", number="INV-1", customer_id="58")


def invoice(remote_id: str, *, marker: str = "") -> RemoteRecord:
    return RemoteRecord(kind="invoice", remote_id=remote_id, version="0", number="INV-1", marker=marker)


def customer(remote_id: str, *, email: str = "", minutes: int | None = None) -> RemoteRecord:
    made = None if minutes is None else SENT_AT + timedelta(minutes=minutes)
    return RemoteRecord(kind="customer", remote_id=remote_id, version="0", name="Brûlé", email=email, created_at=made)


OURS, OTHERS, PLAIN = invoice("1", marker=str(UUID)), invoice("2", marker=str(uuid4())), invoice("3")
CASES: dict[str, tuple[list[RemoteRecord], Any]] = {
    "nothing": ([], None),
    "our mark": ([PLAIN, OTHERS, OURS], OURS),
    "our mark twice": (
        [OURS, invoice("4", marker=str(UUID)), PLAIN],
        Undecided((OURS, invoice("4", marker=str(UUID)))),
    ),
    "no mark at all": ([OTHERS, PLAIN], Undecided((PLAIN,))),
    "another's mark": ([OTHERS], None),
}


@pytest.mark.parametrize("name", CASES)
def test_mark_decides_which_invoice_it_is(name: str) -> None:
    found, verdict = CASES[name]
    assert judge(INVOICE, found, uuid=UUID, sent_at=SENT_AT) == verdict


@pytest.mark.parametrize(
    ("sent_email", "there", "is_it"),
    [
        ("a@example.com", customer("1", email="A@example.com"), True),
        ("a@example.com", customer("1", email="b@example.com", minutes=1), False),
        ("", customer("1", minutes=1), True),
        ("", customer("1", minutes=-4), True),
        ("", customer("1", minutes=-6), False),
        ("", customer("1"), False),
    ],
)
def test_customer_of_the_name_is_it_by_address_or_by_having_been_made_then(
    sent_email: str, there: RemoteRecord, *, is_it: bool
) -> None:
    sent = SentRecord(kind="customer", name="Brûlé", email=sent_email)
    assert judge(sent, [there], uuid=UUID, sent_at=SENT_AT) == (there if is_it else Undecided((there,)))


def test_item_of_the_name_is_the_item_to_use() -> None:
    item = RemoteRecord(kind="service", remote_id="9", version="0", name="Advice")
    assert judge(SentRecord(kind="service", name="Advice"), [item], uuid=UUID, sent_at=SENT_AT) == item
