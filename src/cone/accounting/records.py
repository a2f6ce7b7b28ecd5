"""What the engine reads of our books for one plan: records with their references still ours, and the situation.

Made by `snapshot` in one database snapshot, judged by `plan`; nothing here touches a database.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID, uuid5

from cone.accounting.port.company import CompanyFacts, TaxComponent
from cone.accounting.port.documents import CustomerDocument, Kind, Namesake
from cone.accounting.port.provider import WireRequest
from cone.accounting.verify import Expectation
from cone.kit.values import Value, field

# Which record of ours.
Reference: TypeAlias = tuple[Kind, UUID]
# "removed" by hand, as a person said; "unsure" until it's read again.
LinkStanding: TypeAlias = Literal["live", "void", "deleted", "removed", "unsure"]
# What becomes there of what is voided here after it was sent.
RemovalPolicy: TypeAlias = Literal["leave", "void", "delete"]


def general_service_uuid(workspace_uuid: UUID) -> UUID:
    """The identity of the item that lines without a service post to."""
    return uuid5(workspace_uuid, "cone:general-service")


GENERAL_SERVICE_NAME = "Services"


class ServiceRecord(Value):
    """A service of ours."""

    uuid: UUID
    revision: int
    name: str
    description: str
    unit_price: Decimal
    # Its own income account; empty: the usual one.
    income_account_id: str = ""


class LineRecord(Value):
    """An invoice line with our own references; figures as in `InvoiceLineDocument`."""

    service_uuid: UUID
    service_name: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    net: Decimal
    tax_rate_uuid: UUID
    tax_rate_name: str
    tax_percent: Decimal


class InvoiceRecord(Value):
    """An invoice of ours; figures as in `InvoiceDocument`."""

    uuid: UUID
    revision: int
    status: Literal["draft", "issued", "void"]
    number: str
    customer_uuid: UUID
    customer_name: str
    customer_email: str
    issued_at: datetime | None
    issue_date: date
    due_date: date
    currency: str
    amounts_are: Literal["exclusive", "inclusive"]
    memo: str
    net: Decimal
    tax: Decimal
    total: Decimal
    lines: tuple[LineRecord, ...]
    applied: tuple["AppliedThere", ...] = ()
    exchange_rate: Decimal | None = None


class AppliedThere(Value):
    """What one payment of ours pays of an invoice there; `is_pending`: that changes next."""

    payment_uuid: UUID
    amount: Decimal
    is_pending: bool


class AllocationRecord(Value):
    """The part of a payment that pays one invoice, and how that invoice stands here and there.

    `remote_id` is None until it's linked; `is_behind`: what stands there is older than ours and on its way;
    `is_asked_for`: it's on its way whatever its date; `others` are the other payments of it there.
    """

    invoice_uuid: UUID
    number: str
    status: Literal["draft", "issued", "void"]
    issued_at: datetime | None
    issue_date: date
    currency: str
    total: Decimal
    amount: Decimal
    remote_id: str | None
    standing: LinkStanding | None
    total_there: Decimal | None
    is_behind: bool
    is_asked_for: bool
    others: tuple[AppliedThere, ...] = ()


class PaymentRecord(Value):
    """A payment of ours; what its parts leave of the amount is the customer's credit."""

    uuid: UUID
    revision: int
    is_void: bool
    customer_uuid: UUID
    customer_name: str
    received_date: date
    amount: Decimal
    currency: str
    method: str
    reference: str
    allocations: tuple[AllocationRecord, ...]
    exchange_rate: Decimal | None = None


Record: TypeAlias = CustomerDocument | ServiceRecord | InvoiceRecord | PaymentRecord


def is_void(record: Record | None) -> bool:
    """Whether a record was taken back here."""
    match record:
        case InvoiceRecord():
            return record.status == "void"
        case PaymentRecord():
            return record.is_void
        case _:
            return False


def is_wanted(record: Record | None) -> bool:
    """Whether a record should stand there: neither deleted here nor void."""
    return record is not None and not is_void(record)


class LinkState(Value):
    """Which record of theirs is ours, and how it stood when last answered."""

    remote_id: str
    remote_version: str
    synced_revision: int
    is_equal: bool
    standing: LinkStanding = "live"
    # Made there by us; what was found belongs to the firm's books and is never changed.
    is_made_here: bool = False
    # What an update must say again of theirs, as of that version.
    kept: str = ""
    # Our last write carried a text that may also be left out there: an invoice's memo, a payment's reference.
    has_text: bool = False


class OpenAttempt(Value):
    """A write whose outcome isn't known: to be found there, or repeated under the same id, byte for byte.

    `age_seconds` counts from the first send, `silence` from the last. What went in a batch is repeated only with the
    whole of it.
    """

    id: int
    operation: Literal["create", "update", "void", "delete"]
    revision: int
    request: WireRequest
    request_id: str
    expected: Expectation | None
    sends: int
    age_seconds: int
    silence: timedelta
    batch_id: int | None = None
    batch_place: int | None = None
    started_at: datetime | None = None


class Patience(Value):
    """How long an answer may take, and how long after a send a look that finds nothing says something."""

    request_timeout: timedelta
    looks_count_after: timedelta


class TakingBack(Value):
    """A run is undone: the record is to be removed there, if it stands as it stood in this version and revision.

    `total`: payments of the same run moved the version, so it's what the record says that must be as it was; `besides`
    as in `RemoteRecord`, None where no answer told it.
    """

    by: Literal["void", "delete"]
    version: str
    revision: int
    total: str | None = None
    besides: str | None = None


class GivenUp(Value):
    """Creates that were given up without a plain no to their only send: when the first and the last of them left."""

    first_sent_at: datetime
    last_sent_at: datetime


class Row(Value):
    """One due outbox row.

    `last_generation` is the highest generation ever used for the record (0: none). `given_up`: earlier
    generations of its create that may have arrived after all. `is_in_scope`: a person issued the record, or asked for
    it by name, while connected.
    """

    id: int
    kind: Kind
    uuid: UUID
    wanted_revision: int
    priority: int
    tries: int
    last_generation: int
    is_in_scope: bool
    given_up: GivenUp | None = None
    take_back: TakingBack | None = None

    def first_sent_at(self, latest_at: datetime | None) -> datetime | None:
        """When the record first left, whose latest create did so at `latest_at`."""
        return self.given_up.first_sent_at if self.given_up else latest_at


class Subject(Value):
    """A due row with everything a plan for it needs; `record` is None when ours is gone."""

    row: Row
    record: Record | None
    link: LinkState | None
    attempt: OpenAttempt | None

    @property
    def reference(self) -> "Reference":
        """The record it's about."""
        return self.row.kind, self.row.uuid


class MappedCode(Value):
    """The tax code the firm chose for a rate. `is_active` None: not among the company's codes any more."""

    remote_id: str
    name: str
    is_active: bool | None
    components: tuple[TaxComponent, ...] = ()

    @property
    def percent(self) -> Decimal:
        """What its rates come to, where they're known."""
        return sum((part.percent for part in self.components), start=Decimal(0))


class Situation(Value):
    """The connection's settings and the company's facts, as of one snapshot.

    `ids_live_for`: how long the platform is trusted to know a request id again, as configured. `reads_held_for`: how
    long this month's allowance of reads and batches is still used up; None when it isn't. `try_now_at`: when a person
    asked last to try now. `is_throttled`: the platform asked to slow down, and hasn't answered anything since.
    """

    connection_id: int
    company_pk: int
    workspace_uuid: UUID
    remote_company_id: str
    settings_revision: int
    sends_batches_only: bool
    facts: CompanyFacts
    deposit_account_id: str
    deposit_account_name: str
    is_deposit_account_active: bool
    income_account_id: str
    connected_at: datetime
    tax_codes: Mapping[UUID, MappedCode]
    linked: Mapping[Reference, str]
    # What a linked customer's currency is there, by our uuid; it's fixed for life.
    customer_currencies: Mapping[UUID, str] = field(default_factory=dict)
    # Services of ours whose items, made by us, don't stand there yet as they should: lines would post as they do now.
    # Each with the service that the item was made for, and that moves it: another one may have found it.
    moving_items: Mapping[UUID, UUID] = field(default_factory=dict)
    # What the firm calls its own: rates of ours are told in it.
    own_currency: str = ""
    ids_live_for: timedelta = timedelta(hours=1)
    reads_held_for: timedelta | None = None
    try_now_at: datetime | None = None
    is_throttled: bool = False
    removal_policy: RemovalPolicy = "leave"
    # The company's active payment methods: the id by the name in lower case.
    payment_methods: Mapping[str, str] = field(default_factory=dict)
    # Numbers and (lower case) names that other records of ours have there, with whose they are.
    taken_numbers: Mapping[str, UUID] = field(default_factory=dict)
    taken_names: Mapping[str, tuple[Namesake, UUID]] = field(default_factory=dict)
    name_policy: str = "ask"
    is_tax_ours: bool = False
    # The company's accounts and items that can't be used any more: the name by the id.
    inactive_accounts: Mapping[str, str] = field(default_factory=dict)
    inactive_items: Mapping[str, str] = field(default_factory=dict)
    # Names, in lower case, that no item there had when the lists were read last; none where that's long ago.
    missing_items: frozenset[str] = frozenset()
