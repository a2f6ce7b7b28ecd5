"""The kinds of records that an accounting system takes from us, in the order in which they refer to one another."""

from typing import Final, Literal

# Customers and services before the invoices that name them, invoices before the payments of them.
WAVES: Final[dict[Literal["customer", "service", "invoice", "payment"], int]] = {
    "customer": 1,
    "service": 2,
    "invoice": 3,
    "payment": 4,
}
