"""What pages and the API show of the sync: small frozen values, made by this room's queries."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from cone.accounting.connections import State
from cone.accounting.port.company import Account, EnvironmentName, TaxCode
from cone.accounting.port.documents import Kind, Namesake


class SyncState(StrEnum):
    """Where one record stands. NOT_SENT: nothing asks for it to be there (a draft, or out of scope).

    HELD where resuming alone lets it go; PUT_OFF until the month's allowance of requests begins anew.
    """

    NOT_SENT = "not_sent"
    WAITING = "waiting"
    SENDING = "sending"
    SYNCED = "synced"
    NEEDS_ATTENTION = "needs_attention"
    HELD = "held"
    PUT_OFF = "put_off"


ActionTarget: TypeAlias = Literal[
    "tax_mapping",
    "accounts",
    "lists",
    "terms",
    "customer",
    "customer_form",
    "invoice",
    "service",
    "payment",
    "connection",
    "none",
]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why records can't be sent, and the one act that mends it.

    `target` names the page of the act; `target_uuid` the record on it (the tax rate, for "tax_mapping").
    `own_account_of` is the service whose own income account may be what is wrong.
    """

    key: str
    title: str
    explanation: str
    action: str
    target: ActionTarget
    target_uuid: UUID | None
    # What is said of the record that has it where another one waits for it: "which QuickBooks refused".
    which: str = "which needs attention"
    provider_says: str = ""
    # Who has the name that a customer wants: where it's taken, a person chooses among these and a suffix.
    namesakes: tuple[Namesake, ...] = ()
    is_name_taken: bool = False
    # The customer there isn't one any more: a person says which it is now, or has it made there again.
    is_customer_lost: bool = False
    # What a person typed to have it looked for there, and what that found: "none", "some", "many", or "refused".
    looked_for: str = ""
    search: str = ""
    own_account_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class CauseCard:
    """One cause and what waits for it; `examples` are at most five (kind, uuid, label)."""

    cause: Cause
    count: int
    examples: tuple[tuple[Kind, UUID, str], ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that was sent otherwise than before, by the words a person knows it by."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One request as history shows it. `outcome` is one of succeeded, failed, unknown; `verdict` says it in words."""

    at: datetime
    operation: str
    revision: int
    outcome: str
    message: str
    http_status: int | None
    tid: str
    milliseconds: int | None
    kind: Kind
    uuid: UUID
    label: str
    verdict: str
    sends: int
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A record there that an uncertain one of ours could be; figures as its own software has them."""

    remote_id: str
    label: str
    email: str
    total: Decimal | None
    issue_date: date | None
    created_at: datetime | None
    url: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """A record that another one waits for, and what people call it.

    `is_general`: the item that lines without a service post to. `is_namesake`: the record that waits, or one that is
    waited for before it, is called the same.
    """

    kind: Kind
    label: str
    is_archived: bool = False
    is_general: bool = False
    is_namesake: bool = False


@dataclass(frozen=True, slots=True)
class RecordSync:
    """Everything a record's page says about its sync.

    `waits_for` is what it waits for, followed by what that waits for in turn. `is_cause_awaited`: the cause isn't its
    own, but that of the last of them.

    `is_uncertain`: a person must say which of the `candidates` it is there, or that it isn't there. `held`: the month's
    allowance of reads, or of everything, is used up, and this record waits for it until `held_until`.
    """

    state: SyncState
    cause: Cause | None
    waits_for: tuple[Awaited, ...]
    last_synced_at: datetime | None
    remote_url: str | None
    remote_total: Decimal | None
    provider_name: str
    can_sync_now: bool
    history: tuple[AttemptView, ...]
    is_uncertain: bool = False
    candidates: tuple[CandidateView, ...] = ()
    standing: str = "live"
    looks_again_at: datetime | None = None
    held: Literal["", "reads", "everything"] = ""
    held_until: datetime | None = None
    is_cause_awaited: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """The active connection as the pages show it.

    `is_tried_again`: it can't be written to, and is tried by itself, or at once when a person asks.
    `held` is what the month's used-up allowance holds back until `held_until`: nothing (empty), "reads" (what begins
    with one, and batches), or everything. `restored_at` is when an older copy of the books was restored, until a person
    has compared them.
    """

    uuid: UUID
    provider_key: str
    provider_name: str
    environment: EnvironmentName
    company_name: str
    state: str
    state_reason: str
    is_paused: bool
    connected_at: datetime
    facts_read_at: datetime | None
    waiting_count: int
    attention_count: int
    synced_count: int
    company_url: str
    removal_policy: str
    is_tried_again: bool = False
    held: Literal["", "reads", "everything"] = ""
    held_until: datetime | None = None
    restored_at: datetime | None = None

    @property
    def is_only_paused(self) -> bool:
        """Whether resuming alone lets go what waits."""
        return self.is_paused and self.state == State.CONNECTED


@dataclass(frozen=True, slots=True)
class ProviderCard:
    """One card of Settings › Integrations. `blocked_by` names the provider that must be disconnected first."""

    key: str
    name: str
    description: str
    is_available: bool
    unavailable_reason: str
    environment: EnvironmentName | None
    connection: ConnectionView | None
    blocked_by: str


@dataclass(frozen=True, slots=True)
class TaxMappingRow:
    """One Cone rate on the Manage page. `suggested_id` is pre-selected when nothing is saved, never saved by itself."""

    tax_rate_uuid: UUID
    name: str
    percent: Decimal
    is_no_tax: bool
    saved_id: str
    saved_is_inactive: bool
    suggested_id: str
    warning: str
    synced_invoice_count: int
    waiting_invoice_count: int


@dataclass(frozen=True, slots=True)
class ManageView:
    """The Manage page: mappings, accounts, existing invoices."""

    connection: ConnectionView
    rows: tuple[TaxMappingRow, ...]
    tax_codes: tuple[TaxCode, ...]
    deposit_accounts: tuple[Account, ...]
    deposit_account_id: str
    deposit_note: str
    income_accounts: tuple[Account, ...]
    income_account_id: str
    suggested_income_account_id: str
    accounts_url: str
    reference_read_at: datetime | None
    send_from_date: date | None
    waiting_for_accounts_count: int


@dataclass(frozen=True, slots=True)
class FlowArrow:
    """Live counts on one arrow of the data-flow diagram."""

    kind: Kind
    synced: int
    waiting: int
    attention: int
