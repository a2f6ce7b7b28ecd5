"""What an invoice says beside what we send and a payment moves, as a short text that is the same as long as that is.

Addresses, terms, class, place, customer and items: some come by themselves from the customer, so what they ought to be
isn't known here, only whether they're still what the answer told. Ids and coordinates of an address are left out: what
QuickBooks does with those by itself isn't documented. What isn't as the schema says counts as not there.
"""

from hashlib import blake2b

import msgspec

from cone.providers.quickbooks.kept import find, referred
from cone.providers.quickbooks.wire import InvoiceRow, Row


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


_ADDRESS = msgspec.json.Decoder(_Address)
_EMPTY = _Address()


def read_besides(row: InvoiceRow) -> str:
    """The digest of one invoice."""
    said = (
        row.customer_ref.value if row.customer_ref else "",
        referred(row.sales_term_ref),
        referred(row.class_ref),
        referred(row.department_ref),
        _address(row.bill_addr),
        _address(row.ship_addr),
        [referred(line.sales_item_line_detail.item_ref) for line in row.line if line.sales_item_line_detail],
    )
    return blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


def _address(value: msgspec.Raw) -> _Address | None:
    """An address; one without a word is none."""
    address = find(_ADDRESS, value)
    return None if address == _EMPTY else address
