"""What the engine hands to a provider: our records as frozen values, references already resolved to remote ids.

Money is Decimal in whole minor units of the document's currency unless it says otherwise; nothing is rounded again.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

from cone.accounting.port.company import TaxComponent
from cone.kit.values import Value

Kind: TypeAlias = Literal["customer", "service", "invoice", "payment"]
# Whether a record stands there; voided and deleted ones count for nothing.
Standing: TypeAlias = Literal["live", "void", "deleted"]


class Address(Value):
    """A postal address; `country` is ISO 3166-1 alpha-2 or empty."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


class CustomerDocument(Value):
    """A customer as it should stand there."""

    uuid: UUID
    revision: int
    name: str
    email: str
    phone: str
    tax_number: str
    address: Address
    currency: str
    notes: str
    # Our own name of it, where `name` is a suffixed one because that was taken.
    own_name: str = ""
    kind: Literal["customer"] = "customer"


class Namesake(Value):
    """Somebody there who has a name that a customer of ours wants; inactive ones hold theirs too.

    `obstacle`: why our customer can't be this one, where we know: another of ours is, its currency differs for life, or
    it's foreseen only: another of ours that is to go there first.
    """

    entity: Literal["customer", "vendor", "employee"]
    remote_id: str
    version: str
    name: str
    email: str = ""
    tax_number: str = ""
    currency: str = ""
    is_active: bool = True
    obstacle: Literal["", "ours", "currency", "foreseen"] = ""


class ServiceDocument(Value):
    """A service as an item whose sales post to `income_account_id`."""

    uuid: UUID
    revision: int
    name: str
    description: str
    unit_price: Decimal
    income_account_id: str
    kind: Literal["service"] = "service"


class InvoiceLineDocument(Value):
    """One line. `amount` is net when the invoice's amounts are exclusive, gross when inclusive; `net` is always net.

    `amount` is quantity × unit_price, half up, less the line's discount and its part of the invoice's: where it differs
    from round(quantity × unit_price) the provider must send a quantity of one.
    """

    item_id: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    net: Decimal
    tax_code_id: str
    tax_percent: Decimal
    tax_components: tuple[TaxComponent, ...] = ()


class InvoiceDocument(Value):
    """An issued invoice as it should stand there, with the figures its answer must agree with."""

    uuid: UUID
    revision: int
    number: str
    customer_id: str
    customer_email: str
    issue_date: date
    due_date: date
    currency: str
    amounts_are: Literal["exclusive", "inclusive"]
    lines: tuple[InvoiceLineDocument, ...]
    memo: str
    net: Decimal
    tax: Decimal
    total: Decimal
    deposit_account_id: str | None
    # Where the company works out sales tax by itself: it takes ours instead.
    is_tax_ours: bool = False
    # Units of the company's home currency for one of the invoice's; None: it takes its own.
    exchange_rate: Decimal | None = None
    kind: Literal["invoice"] = "invoice"


class AllocationDocument(Value):
    """The part of a payment that pays one invoice there."""

    invoice_id: str
    amount: Decimal


class PaymentDocument(Value):
    """A payment as it should stand there; what the allocations leave of `amount` is the customer's credit.

    `method_id` is empty where the company has no payment method of the name: the name is then kept in the note.
    """

    uuid: UUID
    revision: int
    customer_id: str
    received_date: date
    amount: Decimal
    currency: str
    deposit_account_id: str
    method: str
    method_id: str
    reference: str
    allocations: tuple[AllocationDocument, ...]
    exchange_rate: Decimal | None = None
    kind: Literal["payment"] = "payment"


Document: TypeAlias = CustomerDocument | ServiceDocument | InvoiceDocument | PaymentDocument


class Create(Value):
    """Make the record there."""

    document: Document


class Update(Value):
    """Change the record there: our fields win, theirs stay. `kept` is what was read of theirs, see `RemoteRecord`.

    `has_text`: the memo or reference that stands there was sent by us, so that ours, emptied, empties it. Where it
    wasn't, an empty one of ours leaves it as it is.
    """

    document: Document
    remote_id: str
    remote_version: str
    kept: str = ""
    has_text: bool = False


class Void(Value):
    """Void the record there: it stays, with nothing owed or paid."""

    kind: Kind
    uuid: UUID
    revision: int
    remote_id: str
    remote_version: str


class Delete(Value):
    """Delete the record there."""

    kind: Kind
    uuid: UUID
    revision: int
    remote_id: str
    remote_version: str


Write: TypeAlias = Create | Update
Removal: TypeAlias = Void | Delete
Step: TypeAlias = Write | Removal


class RemoteRecord(Value):
    """A record as the provider has it. Figures are None where the kind has none; decimals are exact.

    `tax_codes` are the codes of the lines in order; `deposit_account_id` is the account the answer names, if any.
    `income_account_id` is what an item's lines post to.
    `payment_ids` are the payments applied to an invoice, `applied` what a payment pays of which invoice there.
    `kept` is what an update must say again of theirs, in the provider's own words: nobody else reads it.
    `words` are an invoice's: its memo, what stands in its private note beside the marker, then each line's description.
    `besides` is the same as long as an invoice says the same but for what payments move: its lines, terms, addresses.
    Its parts are joined by dots; a later version of Cone may only add some, since answers are kept.
    """

    kind: Kind
    remote_id: str
    version: str
    name: str = ""
    number: str | None = None
    total: Decimal | None = None
    tax: Decimal | None = None
    balance: Decimal | None = None
    is_active: bool = True
    tax_codes: tuple[str, ...] = ()
    deposit_account_id: str | None = None
    income_account_id: str = ""
    marker: str = ""
    customer_id: str | None = None
    email: str = ""
    currency: str = ""
    standing: Standing = "live"
    payment_ids: tuple[str, ...] = ()
    unapplied: Decimal | None = None
    applied: tuple[AllocationDocument, ...] = ()
    issue_date: date | None = None
    due_date: date | None = None
    words: tuple[str, ...] = ()
    besides: str = ""
    created_at: datetime | None = None
    kept: str = ""
    exchange_rate: Decimal | None = None
