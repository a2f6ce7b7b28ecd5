"""What a stored create said, read back from its own bytes: whom to look for. A record may have changed here since."""

from datetime import date

from cone.accounting.port.documents import Kind
from cone.kit.values import Value


class SentRecord(Value):
    """The business key of a create as it was sent; empty where the kind has none, or where none was sent."""

    kind: Kind
    name: str = ""
    email: str = ""
    number: str = ""
    customer_id: str = ""
    transaction_date: date | None = None
