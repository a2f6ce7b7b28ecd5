"""What a provider may say went wrong: a closed set that the engine matches exhaustively.

VerdictError
├── TryLaterError          nothing happened there; come back after `delay`
├── OutcomeUnknownError    the request left us and no answer came: look before repeating
├── RejectedError          it said no, for a reason a person can read (and perhaps mend: `cause`)
├── StaleError             our version of the record is old: read it again and plan again
├── GoneError              the record, or one it refers to, is no longer there
├── ReconnectError         the connection needs a person to sign in again
└── MisconfiguredError     the connection can't write until a person solves it there

Adding one is an ADR. Compared by identity, as exceptions are: a verdict is an event, not a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal, TypeAlias


class CauseCode(StrEnum):
    """Why a record can't be sent; `accounting.causes` holds the words and the one act that mends each."""

    DEFAULT_ACCOUNT_MISSING = "default_account_missing"
    INCOME_ACCOUNT_MISSING = "income_account_missing"
    TAX_UNMAPPED = "tax_unmapped"
    TAX_CODE_INACTIVE = "tax_code_inactive"
    TAX_PERCENT_DIFFERS = "tax_percent_differs"
    NAME_TAKEN = "name_taken"
    NAME_INVALID = "name_invalid"
    NUMBER_TAKEN = "number_taken"
    NUMBER_TOO_LONG = "number_too_long"
    NUMBER_TAKEN_HERE = "number_taken_here"
    NUMBER_NOT_GIVEN = "number_not_given"
    PERIOD_CLOSED = "period_closed"
    REMOVAL_PERIOD_CLOSED = "removal_period_closed"
    ACCOUNT_INACTIVE = "account_inactive"
    INCOME_ACCOUNT_INACTIVE = "income_account_inactive"
    ITEM_INACTIVE = "item_inactive"
    REFERENCE_MISSING = "reference_missing"
    CURRENCY_UNSUPPORTED = "currency_unsupported"
    CUSTOMER_CURRENCY_DIFFERS = "customer_currency_differs"
    EMAIL_INVALID = "email_invalid"
    EMAIL_MISSING = "email_missing"
    TOO_MANY_LINES = "too_many_lines"
    TAX_CODES_MIXED = "tax_codes_mixed"
    TOTAL_WOULD_DIFFER = "total_would_differ"
    TOTAL_DIFFERS = "total_differs"
    OUTCOME_UNCERTAIN = "outcome_uncertain"
    REMOVED_THERE = "removed_there"
    CUSTOMER_LOST = "customer_lost"
    VOIDED_HERE = "voided_here"
    PAYMENT_APPLIED = "payment_applied"
    INVOICE_NOT_THERE = "invoice_not_there"
    REFERENCE_TOO_LONG = "reference_too_long"
    REFUSED = "refused"


# Beside a cause's facts that are amounts: their currency. Without it they're words.
AMOUNTS_IN = "amounts_in"


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of the answer that carried a verdict; `message` is redacted and at most 2,000 characters.

    `said` is the platform's own text within it, redacted too; empty where it said nothing, or was asked nothing.
    """

    http_status: int | None = None
    tid: str = ""
    code: str = ""
    message: str = ""
    said: str = ""


@dataclass(eq=False)
class VerdictError(Exception):
    """A provider's word on a request that didn't succeed."""

    answered: Answered = field(default_factory=Answered)

    def __str__(self) -> str:
        return self.answered.message or type(self).__name__


@dataclass(eq=False)
class TryLaterError(VerdictError):
    """Nothing happened there. `scope` says whether the whole connection should wait or only this record.

    `delay` is what the platform asked for; without it the engine backs off. `allowance`: what this month's allowance
    of requests doesn't cover any more: "reads" (and batches, which are counted like them; single writes still go) or
    everything; it's no matter of seconds then.
    """

    delay: timedelta | None = None
    scope: Literal["connection", "record"] = "connection"
    allowance: Literal["", "reads", "everything"] = ""


@dataclass(eq=False)
class OutcomeUnknownError(VerdictError):
    """The request left us and no definite answer came."""


@dataclass(eq=False)
class RejectedError(VerdictError):
    """It said no. `field` is the provider's name of the offending element, if given; `params` fill the cause's text.

    Amounts among them are bare decimals, with their currency as AMOUNTS_IN.
    """

    cause: CauseCode = CauseCode.REFUSED
    field_name: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class StaleError(VerdictError):
    """Our version of the record is old."""


@dataclass(eq=False)
class GoneError(VerdictError):
    """The record, or one it refers to, was deleted, merged or made inactive."""


@dataclass(eq=False)
class ReconnectError(VerdictError):
    """The connection's tokens are dead: a person must sign in again."""


@dataclass(eq=False)
class MisconfiguredError(VerdictError):
    """The company or the app's keys don't allow writing: said once, on the connection."""


Verdict: TypeAlias = (
    TryLaterError | OutcomeUnknownError | RejectedError | StaleError | GoneError | ReconnectError | MisconfiguredError
)

# For `except`: the same closed set.
VERDICTS = (
    TryLaterError,
    OutcomeUnknownError,
    RejectedError,
    StaleError,
    GoneError,
    ReconnectError,
    MisconfiguredError,
)
