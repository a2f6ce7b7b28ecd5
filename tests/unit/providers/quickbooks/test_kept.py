"""A bookkeeper's details on the lines of an invoice: found in an answer, said again with the next update."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.accounting.port.documents import InvoiceLineDocument, Update
from cone.providers.quickbooks.kept import keep_theirs, read_theirs
from cone.providers.quickbooks.mapping import prepare
from cone.providers.quickbooks.reading import invoice_record
from cone.providers.quickbooks.sent import read_fields
from cone.providers.quickbooks.wire import InvoiceRow, JsonObject, LineRow

from .builders import a_company, a_line, an_invoice

_EXACT = msgspec.json.Decoder(float_hook=Decimal)
NORTH, SOUTH = {"value": "31", "name": "North"}, {"value": "32", "name": "South"}


def answered(number: int, text: str, *, item: str = "7", amount: str = "100", **theirs: object) -> dict[str, Any]:
    """A line as QuickBooks answers it, with what it adds by itself."""
    quantity = Decimal(2)
    return {
        "Id": str(number),
        "LineNum": number,
        "Description": text,
        "Amount": msgspec.Raw(amount.encode()),
        "DetailType": "SalesItemLineDetail",
        "LinkedTxn": [],
        "CustomExtensions": [],
        "SalesItemLineDetail": {
            "ItemRef": {"value": item, "name": "Advice"},
            "Qty": msgspec.Raw(str(quantity).encode()),
            "UnitPrice": msgspec.Raw(str(Decimal(amount) / quantity).encode()),
            "ItemAccountRef": {"value": "1", "name": "Sales"},
            "TaxCodeRef": {"value": "6"},
            **theirs,
        },
    }


SUBTOTAL = {"Amount": 100, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
NOTE = {
    "Id": "9",
    "LineNum": 2,
    "Description": "As agreed with Ms Pole",
    "DetailType": "DescriptionOnly",
    "DescriptionLineDetail": {},
}


def found(*lines: dict[str, Any]) -> str:
    return read_theirs(msgspec.json.decode(msgspec.json.encode(lines), type=tuple[LineRow, ...]))


def ours(text: str, **changes: Any) -> InvoiceLineDocument:
    return a_line(description=text, **changes)


def sent(kept: str, *lines: InvoiceLineDocument, **changes: Any) -> list[dict[str, Any]]:
    """The lines of an update."""
    request = prepare(Update(an_invoice(lines=lines, **changes), "155", "4", kept=kept), a_company())
    written: list[dict[str, Any]] = _EXACT.decode(request.body)["Line"]
    return written


def classes(lines: list[dict[str, Any]]) -> list[str]:
    """The id and the class of each line."""
    return [
        f"{line.get('Id', 'new')} {line['SalesItemLineDetail'].get('ClassRef', {}).get('value', '-')}" for line in lines
    ]


def test_nothing_is_kept_of_lines_that_nobody_touched() -> None:
    assert found(answered(1, "Advice"), answered(2, "Travel"), SUBTOTAL) == ""


def test_class_and_service_date_are_said_again_with_the_line_s_id_and_our_fields() -> None:
    kept = found(answered(1, "Advice", ClassRef=NORTH, ServiceDate="2026-04-30"), SUBTOTAL)
    plain = sent("", ours("Advice", quantity=Decimal(3), amount=Decimal(150), net=Decimal(150)))
    [line] = sent(kept, ours("Advice", quantity=Decimal(3), amount=Decimal(150), net=Decimal(150)))
    detail = {**plain[0]["SalesItemLineDetail"], "ClassRef": {"value": "31"}, "ServiceDate": "2026-04-30"}
    assert line == {**plain[0], "Id": "1", "LineNum": 1, "SalesItemLineDetail": detail}
    assert (line["Amount"], line["SalesItemLineDetail"]["Qty"]) == (150, 3)


def test_gross_of_an_inclusive_line_is_ours() -> None:
    theirs = answered(1, "Advice", ClassRef=NORTH, TaxInclusiveAmt=999)
    line = ours("Advice", quantity=Decimal(1), unit_price=Decimal(120), amount=Decimal(120))
    [written] = sent(found(theirs), line, amounts_are="inclusive")
    assert written["SalesItemLineDetail"]["TaxInclusiveAmt"] == 120
    assert written["SalesItemLineDetail"]["ClassRef"] == {"value": "31"}


def test_what_the_line_itself_carries_is_said_as_it_came() -> None:
    links = [{"TxnId": "44", "TxnType": "TimeActivity"}]
    theirs = {**answered(1, "Advice"), "LinkedTxn": links, "ProjectRef": {"value": "8", "name": "Mill"}}
    [line] = sent(found(theirs), ours("Advice"))
    assert (line["Id"], line["LinkedTxn"], line["ProjectRef"]) == ("1", links, {"value": "8"})
    assert "CustomExtensions" not in line


def test_tax_class_goes_with_the_item_that_told_it() -> None:
    kept = found(answered(1, "Advice", TaxClassificationRef={"value": "EUC-1"}, ClassRef=NORTH))
    [same], [other] = sent(kept, ours("Advice")), sent(kept, ours("Advice", item_id="8"))
    assert same["SalesItemLineDetail"]["TaxClassificationRef"] == {"value": "EUC-1"}
    assert "TaxClassificationRef" not in other["SalesItemLineDetail"]
    assert other["SalesItemLineDetail"]["ClassRef"] == {"value": "31"}


def test_tax_class_alone_is_nothing_of_theirs() -> None:
    assert found(answered(1, "Advice", TaxClassificationRef={"value": "EUC-1"}), SUBTOTAL) == ""


# fields as the schema doesn't have them
ODD: list[object] = [{}, {"name": "North"}, {"value": ""}, {"value": None}, {"value": 31}, "31", 31, [], None, False]


@pytest.mark.parametrize("odd", ODD)
def test_field_of_another_shape_costs_neither_the_answer_nor_what_else_is_kept(odd: object) -> None:
    inner: dict[str, Any] = {"ClassRef": odd, "TaxClassificationRef": odd, "ServiceDate": {"of": odd}}
    line = {**answered(1, "Advice", **inner), "ProjectRef": odd}
    note = {**NOTE, "Amount": {"of": odd}, "DescriptionLineDetail": odd}
    body = {"Id": "155", "SyncToken": "5", "TotalAmt": 120, "Line": [line]}
    assert invoice_record(msgspec.json.decode(msgspec.json.encode(body), type=InvoiceRow)).kept == ""

    other = answered(2, "Travel", ItemRef=odd, Qty={"of": odd}, UnitPrice=[odd], ClassRef=SOUTH)
    written = sent(found({**line, "Id": {"of": odd}}, note, other), ours("Advice"), ours("Travel"))
    assert written == [
        {**sent("", ours("Advice"))[0], "LineNum": 1},
        {name: value for name, value in NOTE.items() if name != "LineNum"} | {"LineNum": 2},
        written[2],
    ]
    assert classes(written[2:]) == ["2 32"]


TWO = (answered(1, "Advice", ClassRef=NORTH), answered(2, "Travel", item="8", ClassRef=SOUTH))
ADVICE, TRAVEL = ours("Advice"), ours("Travel", item_id="8")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((ADVICE, TRAVEL), ["1 31", "2 32"]),
        ((TRAVEL, ADVICE), ["2 32", "1 31"]),
        ((TRAVEL,), ["2 32"]),
        ((ours("Setup", item_id="9"), ADVICE, TRAVEL), ["new -", "1 31", "2 32"]),
        ((ADVICE, ours("Advice, again"), TRAVEL), ["1 31", "new -", "2 32"]),
        # another item of the same words, other words for the same item
        ((ours("Advice", item_id="9"), TRAVEL), ["1 31", "2 32"]),
        ((ours("Advice in May"), TRAVEL), ["1 31", "2 32"]),
        ((TRAVEL, ours("Advice in May")), ["2 32", "1 31"]),
        # nothing in common any more
        ((ours("Setup", item_id="9"),), ["new -"]),
    ],
)
def test_lines_are_told_by_what_they_say(lines: tuple[InvoiceLineDocument, ...], expected: list[str]) -> None:
    written = sent(found(*TWO), *lines)
    assert classes(written) == expected
    assert [line["LineNum"] for line in written] == list(range(1, len(lines) + 1))


def test_of_two_lines_of_the_same_words_the_one_with_the_same_figures_is_it() -> None:
    two = found(answered(1, "Hours", ClassRef=NORTH), answered(2, "Hours", amount="50", ClassRef=SOUTH))
    less = ours("Hours", unit_price=Decimal(25), amount=Decimal(50), net=Decimal(50))
    assert classes(sent(two, less)) == ["2 32"]
    assert classes(sent(two, ours("Hours"), less)) == ["1 31", "2 32"]


def test_item_alone_says_nothing_where_two_lines_have_it() -> None:
    two = found(answered(1, "May", ClassRef=NORTH), answered(2, "June", ClassRef=SOUTH), answered(3, "Fees", item="8"))
    assert classes(sent(two, ours("Fees", item_id="8"), ours("Fees", item_id="8"), ours("July"))) == [
        "3 -",
        "new -",
        "new -",
    ]


def test_line_of_text_stays_below_the_line_it_follows() -> None:
    kept = found({**NOTE, "Id": "5", "Description": "Part one"}, answered(1, "Advice"), NOTE, answered(3, "Travel"))
    written = sent(kept, ours("Travel"), ours("Advice"), ours("Setup", item_id="9"))
    assert [(line.get("Id"), line["Description"], line["LineNum"]) for line in written] == [
        ("5", "Part one", 1),
        ("3", "Travel", 2),
        ("1", "Advice", 3),
        ("9", "As agreed with Ms Pole", 4),
        (None, "Setup", 5),
    ]
    assert written[3] == {
        "Id": "9",
        "Description": "As agreed with Ms Pole",
        "DetailType": "DescriptionOnly",
        "DescriptionLineDetail": {},
        "LineNum": 4,
    }
    assert [line["Description"] for line in sent(kept, ours("Travel"))] == ["Part one", "Travel"]


def test_line_of_text_goes_without_figures() -> None:
    detail = {"TaxCodeRef": {"value": "6"}, "ServiceDate": "2026-04-30"}
    kept = found(answered(1, "Advice"), {**NOTE, "Amount": 100, "DescriptionLineDetail": detail})
    assert sent(kept, ours("Advice"))[1] == {**NOTE, "DescriptionLineDetail": {"ServiceDate": "2026-04-30"}}


def test_line_of_an_amount_that_was_added_there_gives_way() -> None:
    kept = found(answered(1, "Advice", ClassRef=NORTH), answered(2, "Postage", item="40", amount="5"), SUBTOTAL)
    assert classes(sent(kept, ours("Advice"))) == ["1 31"]


def test_answer_tells_what_is_theirs_and_history_says_it_in_words() -> None:
    body = {
        "Id": "155",
        "SyncToken": "5",
        "TotalAmt": 120,
        "Line": [answered(1, "Advice", ClassRef=NORTH, ServiceDate="2026-04-30"), SUBTOTAL],
    }
    record = invoice_record(msgspec.json.decode(msgspec.json.encode(body), type=InvoiceRow))
    assert record.kept == found(*body["Line"])  # type: ignore[misc]  # a list of lines
    request = prepare(Update(an_invoice(), "155", "5", kept=record.kept), a_company())
    fields = read_fields(request)
    assert (fields["Line 1: class (id there)"], fields["Line 1: service date"]) == ("31", "2026-04-30")
    assert not [name for name in fields if name.endswith((": Id", ": LineNum"))]


_TEXTS = st.sampled_from(["Advice", "Travel", "Hours", ""])
_LINES = st.lists(st.tuples(_TEXTS, st.sampled_from(["7", "8"]), st.sampled_from(["50", "100"])), min_size=1)


@given(before=_LINES, after=_LINES)
def test_our_lines_come_whole_and_in_order_and_no_id_twice(
    before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]
) -> None:
    there = [
        answered(place, text, item=item, amount=amount, ClassRef={"value": str(100 + place)})
        for place, (text, item, amount) in enumerate(before)
    ]
    lines: list[JsonObject] = [
        {
            "Amount": msgspec.Raw(amount.encode()),
            "Description": text,
            "SalesItemLineDetail": {"ItemRef": {"value": item}},
        }
        for text, item, amount in after
    ]
    merged: Any = keep_theirs({"Line": lines, "TxnDate": "2026-05-05"}, found(*there))["Line"]
    for line, written in zip(lines, merged, strict=True):
        assert {key: written[key] for key in ("Amount", "Description")} == {
            key: line[key] for key in ("Amount", "Description")
        }
        assert written["SalesItemLineDetail"]["ItemRef"] == line["SalesItemLineDetail"]["ItemRef"]  # type: ignore[index]  # plain JSON
        if "Id" in written:
            assert written["SalesItemLineDetail"]["ClassRef"] == {"value": str(100 + int(written["Id"]))}
    ids = [written["Id"] for written in merged if "Id" in written]
    assert len(set(ids)) == len(ids)
    if sorted(before) == sorted(after):
        assert len(ids) == len(before)
