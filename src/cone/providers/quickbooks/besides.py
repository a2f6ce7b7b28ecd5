"""What an invoice says but for what payments move, as a short text that is the same as long as that is.

It has parts, joined by dots, and parts may only be added: an answer kept since earlier has the first ones. The first is
of what's beside ours: addresses, terms, class, place, customer and items. Some come by themselves from the customer, so
what they ought to be isn't known here, only whether they're still what the answer told. Ids and coordinates of an
address are left out: what QuickBooks does with those by itself isn't documented. The second is of its lines, and of
what people add to a form. Lines' ids and numbers and the subtotal are QuickBooks' own and left out (api-facts §4.6),
decimals count by their value (§2.2). A reference or text that isn't as the schema says counts as not there.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from cone.providers.quickbooks.kept import find, referred, say
from cone.providers.quickbooks.wire import InvoiceRow, LineRow, Row, SalesItem


class _Address(Row, frozen=True):
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    line5: str | None = None
    city: str | None = None
    country: str | None = None
    country_sub_division_code: str | None = None
    postal_code: str | None = None


class _CustomField(Row, frozen=True):
    definition_id: str = ""
    string_value: str | None = None


_ADDRESS = msgspec.json.Decoder(_Address)
_EMPTY = _Address()
_CUSTOM_FIELDS = msgspec.json.Decoder(tuple[_CustomField, ...])
_NO_DETAIL = SalesItem()
_SUBTOTAL = b'"SubTotalLineDetail"'


def read_besides(row: InvoiceRow) -> str:
    """The digests of one invoice."""
    items = [referred(line.sales_item_line_detail.item_ref) for line in row.line if line.sales_item_line_detail]
    return f"{_digest(_beside_ours(row, items))}.{_digest(_written_on_it(row))}"


def _digest(said: object) -> str:
    return blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


def _beside_ours(row: InvoiceRow, items: Sequence[str]) -> object:
    return (
        row.customer_ref.value if row.customer_ref else "",
        referred(row.sales_term_ref),
        referred(row.class_ref),
        referred(row.department_ref),
        _address(row.bill_addr),
        _address(row.ship_addr),
        items,
    )


def _written_on_it(row: InvoiceRow) -> object:
    """Of the lines all but their items, which the first part tells."""
    return (
        [_line(line) for line in row.line if bytes(line.detail_type) != _SUBTOTAL],
        None if row.exchange_rate is None else row.exchange_rate.normalize(),
        *(_figure(row.deposit), say(row.ship_date), referred(row.ship_method_ref), say(row.tracking_num)),
        sorted((each.definition_id, each.string_value) for each in _custom_fields(row) if each.string_value),
    )


def _line(line: LineRow) -> object:
    # Done for every line of every answer.
    detail = line.sales_item_line_detail or _NO_DETAIL
    return (
        bytes(line.detail_type).decode(),
        *say(line.description).split(),
        _figure(line.amount),
        _figure(detail.qty),
        _figure(detail.unit_price),
        detail.tax_code_ref and detail.tax_code_ref.value,
        say(detail.service_date),
        referred(detail.class_ref),
    )


def _figure(value: msgspec.Raw) -> str:
    """A number by its value: 100, 100.0 and 100.00 are the same."""
    digits = bytes(value).decode()
    if digits == "null":
        return ""
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _custom_fields(row: InvoiceRow) -> tuple[_CustomField, ...]:
    return find(_CUSTOM_FIELDS, row.custom_field) or ()


def _address(value: msgspec.Raw) -> _Address | None:
    """An address; one without a word is none."""
    address = find(_ADDRESS, value)
    return None if address == _EMPTY else address
