"""The lists in one batch: what is asked, and what is made of an answer that lacks something."""

from typing import Any

import msgspec
import pytest

from cone.accounting.port.verdicts import RejectedError, TryLaterError
from cone.providers.quickbooks import batch_reading
from cone.providers.quickbooks.faults import Received

LISTS = ("Account", "TaxCode", "TaxRate", "PaymentMethod", "Item")
REFUSED = {"Fault": {"type": "ValidationFault", "Error": [{"code": "4000", "Message": "Error parsing query"}]}}


def answered(**changes: Any) -> Received:
    """A whole answer, but for what is given; None leaves a query out."""
    items: dict[str, Any] = {
        "CompanyInfo": {"QueryResponse": {"CompanyInfo": [{"CompanyName": "Hatch", "Country": "GB"}]}},
        "Preferences": {"QueryResponse": {"Preferences": [{"CurrencyPrefs": {"HomeCurrency": {"value": "GBP"}}}]}},
        "Named": {"QueryResponse": {"Item": [{"Id": "3", "SyncToken": "0", "Name": "AUDIT", "Type": "Service"}]}},
        **{name: {"QueryResponse": {}} for name in LISTS},
        **changes,
    }
    rows = [{"bId": name, **item} for name, item in items.items() if item is not None]
    return Received(status=200, body=msgspec.json.encode({"BatchItemResponse": rows}))


def asked(names: list[str]) -> dict[str, str]:
    items = msgspec.json.decode(batch_reading.ask(names).body)["BatchItemRequest"]
    return {item["bId"]: item["Query"] for item in items}


def missing(received: Received, names: list[str]) -> tuple[str, ...]:
    found = batch_reading.take_in(received, names)
    assert found is not None
    return found[1].missing_items


def test_whole_answer_tells_which_names_are_missing() -> None:
    assert missing(answered(), ["Advice", "Audit"]) == ("Advice",)


@pytest.mark.parametrize("name", ["CompanyInfo", "Preferences", "Named", *LISTS])
def test_answer_that_leaves_out_a_query_is_none(name: str) -> None:
    with pytest.raises(TryLaterError) as caught:
        batch_reading.take_in(answered(**{name: None}), ["Advice"])
    assert caught.value.scope == "record"


@pytest.mark.parametrize("name", ["CompanyInfo", "Preferences"])
@pytest.mark.parametrize("nothing", [{"QueryResponse": {}}, {}])
def test_answer_that_says_nothing_of_the_company_is_none(name: str, nothing: dict[str, Any]) -> None:
    with pytest.raises(TryLaterError) as caught:
        batch_reading.take_in(answered(**{name: nothing}), ["Advice"])
    assert caught.value.scope == "record"


def test_names_that_no_item_can_have_are_not_asked_for_and_not_missing() -> None:
    names = ["Travel: by rail", "Two\nlines", "A\x00", " ", "x" * 101, "Advice"]
    assert "IN ('Advice')" in asked(names)["Named"]
    assert missing(answered(), names) == ("Advice",)


def test_no_names_are_no_query() -> None:
    assert set(asked(["a:b"])) == set(asked([])) == {"CompanyInfo", "Preferences", *LISTS}
    assert missing(answered(Named=None), []) == ()


def test_refused_names_alone_leave_the_lists_readable() -> None:
    assert missing(answered(Named=REFUSED), ["Advice"]) == ()
    with pytest.raises(RejectedError):
        batch_reading.take_in(answered(Item=REFUSED), ["Advice"])
