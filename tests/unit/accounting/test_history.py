"""What was said otherwise than before."""

from cone.accounting.conclusions import Conclusion
from cone.accounting.history import VERDICT_WORDS, compare
from cone.accounting.values import FieldChange


def test_fields_are_compared_in_the_order_they_were_sent() -> None:
    before = {"Name": "A", "E-mail": "a@example.com", "Line 1: amount": "10", "Line 2: amount": "5", "Currency": "GBP"}
    sent = {"E-mail": "a@example.com", "Phone": "1", "Name": "B", "Line 1: amount": "11"}
    assert compare(before, sent) == (
        FieldChange("Phone", "", "1"),
        FieldChange("Name", "A", "B"),
        FieldChange("Line 1: amount", "10", "11"),
        FieldChange("Line 2: amount", "5", ""),
    )


def test_same_request_says_nothing_new() -> None:
    assert compare({"Name": "A"}, {"Name": "A"}) == ()


def test_whatever_an_attempt_came_to_has_words() -> None:
    assert set(VERDICT_WORDS) == set(Conclusion)
