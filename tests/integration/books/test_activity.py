"""What happened, as sentences: with every figure that they name."""

import pytest

from cone.books.queries.activity import list_activity
from cone.operations.records import note
from tests.builders import make_cast, make_invoice

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "verb", "detail", "sentence"),
    [
        (
            "invoice",
            "payment_recorded",
            {"amount": "1234567.80", "currency": "GBP"},
            "recorded a payment of £1,234,567.80",
        ),
        (
            "connection",
            "existing_sent",
            {"count": "5000", "from_date": "2020"},
            "had 5,000 existing invoices sent",
        ),
        ("connection", "run_undone", {"count": "3", "by": "void"}, "had 3 sent records taken back"),
        ("customer", "created", {"name": "{count} & Co"}, "added customer {count} & Co"),
    ],
)
def test_sentence_names_its_figures(kind: str, verb: str, detail: dict[str, str], sentence: str) -> None:
    owner = make_cast().owner
    invoice = make_invoice(owner)
    note(owner, kind, invoice.uuid, verb, **detail)
    entry = list_activity(owner.workspace, kind, invoice.uuid)[0]
    assert entry.sentence.endswith(sentence)
