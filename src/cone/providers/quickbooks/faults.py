"""What QuickBooks' refusals mean: one table from fault code to verdict, and the reading of both fault shapes.

"§" is a section of the collected facts on the API; "error table" is Intuit's page
developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes. Nothing else in this provider
decides by a fault's text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any

import msgspec

from cone.accounting.port.verdicts import (
    Answered,
    CauseCode,
    GoneError,
    MisconfiguredError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    StaleError,
    TryLaterError,
    VerdictError,
)

MESSAGE_LENGTH = 2000


class Meaning(Enum):
    """What a fault says happened; UNCLEAR becomes "outcome unknown" for a write and "try later" for a read."""

    TRY_LATER = auto()
    UNCLEAR = auto()
    REJECTED = auto()
    STALE = auto()
    GONE = auto()
    RECONNECT = auto()
    MISCONFIGURED = auto()


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One code: the HTTP status it was seen or documented with, what it means, and what to tell a person."""

    code: int
    http: int | None
    meaning: Meaning
    words: str
    source: str
    cause: CauseCode = CauseCode.REFUSED


FAULTS: tuple[FaultRow, ...] = (
    FaultRow(120, 401, Meaning.RECONNECT, "Who connected QuickBooks no longer has access.", "§2.6, reported"),
    FaultRow(130, None, Meaning.TRY_LATER, "QuickBooks is moving this company.", "error table"),
    FaultRow(140, None, Meaning.TRY_LATER, "QuickBooks has locked this company for now.", "error table"),
    FaultRow(150, 503, Meaning.TRY_LATER, "QuickBooks is under maintenance.", "error table"),
    FaultRow(500, 400, Meaning.REJECTED, "QuickBooks doesn't support this operation.", "§2.6, recorded"),
    # A repeat that is told "duplicate" means that the first one arrived: the engine looks for it, and never re-creates.
    FaultRow(
        600,
        400,
        Meaning.REJECTED,
        "QuickBooks has seen this request before.",
        "§2.4, error table",
        CauseCode.OUTCOME_UNCERTAIN,
    ),
    FaultRow(610, 400, Meaning.GONE, "It, or something it refers to, is no longer active there.", "§2.6, recorded"),
    FaultRow(620, 400, Meaning.REJECTED, "These two can't be linked in QuickBooks.", "§2.6, reported"),
    FaultRow(1040, 400, Meaning.REJECTED, "Too many records in one request.", "error table"),
    FaultRow(2010, 400, Meaning.REJECTED, "QuickBooks doesn't know one of the fields sent.", "§2.6, recorded"),
    FaultRow(2020, 400, Meaning.REJECTED, "QuickBooks misses a field.", "§2.6, recorded"),
    FaultRow(2030, 400, Meaning.REJECTED, "QuickBooks doesn't accept an id.", "§2.6, recorded"),
    FaultRow(2050, 400, Meaning.REJECTED, "A text is too long for QuickBooks.", "§2.6, reported"),
    FaultRow(2090, 400, Meaning.REJECTED, "QuickBooks doesn't accept a number.", "error table"),
    FaultRow(2130, 400, Meaning.REJECTED, "QuickBooks doesn't accept the request id.", "§2.4, error table"),
    FaultRow(2210, 400, Meaning.REJECTED, "QuickBooks doesn't accept the e-mail address.", "§2.6, reported"),
    FaultRow(
        2500,
        400,
        Meaning.REJECTED,
        "It refers to something that QuickBooks doesn't have, or no longer uses.",
        "§2.6, recorded",
        CauseCode.REFERENCE_MISSING,
    ),
    FaultRow(3001, 429, Meaning.TRY_LATER, "QuickBooks asks to slow down.", "§2.6, recorded (403 in 2016)"),
    FaultRow(3100, 403, Meaning.MISCONFIGURED, "These app keys may not use this company.", "§2.6, reported"),
    FaultRow(3200, 401, Meaning.RECONNECT, "QuickBooks doesn't accept the sign-in any more.", "§2.5, recorded"),
    FaultRow(3202, 403, Meaning.RECONNECT, "The app is no longer connected to this company.", "error table"),
    FaultRow(4000, 400, Meaning.REJECTED, "QuickBooks doesn't understand the query.", "§2.6, recorded"),
    FaultRow(4001, 400, Meaning.REJECTED, "QuickBooks doesn't answer this query.", "§2.6, recorded"),
    FaultRow(5010, 400, Meaning.STALE, "It was changed in QuickBooks meanwhile.", "§2.6, recorded"),
    FaultRow(5020, 403, Meaning.REJECTED, "The person who connected QuickBooks may not change this.", "error table"),
    FaultRow(5030, 400, Meaning.REJECTED, "This edition of QuickBooks doesn't have the feature.", "error table"),
    FaultRow(6000, 400, Meaning.REJECTED, "QuickBooks' own rules refuse it.", "§2.6, recorded"),
    FaultRow(6010, 400, Meaning.REJECTED, "QuickBooks needs an account type.", "error table"),
    FaultRow(6070, 400, Meaning.REJECTED, "An amount isn't quantity times price for QuickBooks.", "§2.6, reported"),
    FaultRow(
        6100,
        400,
        Meaning.REJECTED,
        "QuickBooks doesn't accept a line's tax code.",
        "error table",
        CauseCode.TAX_CODE_INACTIVE,
    ),
    FaultRow(
        6140,
        400,
        Meaning.REJECTED,
        "The number is already used in QuickBooks.",
        "§2.6, recorded",
        CauseCode.NUMBER_TAKEN,
    ),
    FaultRow(
        6160,
        400,
        Meaning.REJECTED,
        "QuickBooks' custom sales tax code can't be used.",
        "error table",
        CauseCode.TAX_CODE_INACTIVE,
    ),
    FaultRow(6170, 400, Meaning.REJECTED, "Tax details on an invoice without tax.", "error table"),
    FaultRow(6180, 400, Meaning.REJECTED, "Too many levels of sub-records.", "error table"),
    FaultRow(
        6190, 400, Meaning.MISCONFIGURED, "The QuickBooks subscription has ended or has a problem.", "§2.6, reported"
    ),
    FaultRow(
        6200,
        400,
        Meaning.REJECTED,
        "The books are closed for this date.",
        "error table",
        CauseCode.PERIOD_CLOSED,
    ),
    FaultRow(
        6210,
        400,
        Meaning.REJECTED,
        "The books are closed for this date.",
        "§2.6, reported",
        CauseCode.PERIOD_CLOSED,
    ),
    FaultRow(6220, 400, Meaning.REJECTED, "It still has a balance in QuickBooks.", "error table"),
    FaultRow(
        6230,
        400,
        Meaning.REJECTED,
        "QuickBooks' custom sales tax code can't be used.",
        "error table",
        CauseCode.TAX_CODE_INACTIVE,
    ),
    FaultRow(
        6240,
        400,
        Meaning.REJECTED,
        "The name is already used in QuickBooks.",
        "§2.6, recorded",
        CauseCode.NAME_TAKEN,
    ),
    FaultRow(6250, 400, Meaning.REJECTED, "QuickBooks doesn't sell to this customer.", "error table"),
    FaultRow(6540, 400, Meaning.REJECTED, "It's part of a bank deposit in QuickBooks.", "§2.6, reported"),
    FaultRow(6560, 400, Meaning.REJECTED, "QuickBooks misses the customer.", "error table"),
    FaultRow(10000, 500, Meaning.UNCLEAR, "QuickBooks had an error of its own.", "§2.6, recorded"),
)

_ROWS: Mapping[int, FaultRow] = {row.code: row for row in FAULTS}

# A status without a code that says more: gateway pages, proxies, outages (§2.5).
_STATUSES: Mapping[int, tuple[Meaning, str]] = {
    401: (Meaning.RECONNECT, "QuickBooks doesn't accept the sign-in any more."),
    # Without a fault of its own it's some proxy's page, and no word of QuickBooks on the connection.
    403: (Meaning.TRY_LATER, "Something before QuickBooks doesn't let the request through."),
    429: (Meaning.TRY_LATER, "QuickBooks asks to slow down."),
}

# Fault types of codes that the table doesn't have (§2.5); the schema spells one of them "AuthorizatonFault".
_TYPES: Mapping[str, tuple[Meaning, str]] = {
    "authenticationfault": (Meaning.RECONNECT, "QuickBooks doesn't accept the sign-in any more."),
    "authentication": (Meaning.RECONNECT, "QuickBooks doesn't accept the sign-in any more."),
    "authorizationfault": (Meaning.MISCONFIGURED, "QuickBooks doesn't allow this."),
    "authorizatonfault": (Meaning.MISCONFIGURED, "QuickBooks doesn't allow this."),
    "systemfault": (Meaning.UNCLEAR, "QuickBooks had an error of its own."),
}

_PLAIN: Mapping[Meaning, type[StaleError | GoneError | ReconnectError | MisconfiguredError]] = {
    Meaning.STALE: StaleError,
    Meaning.GONE: GoneError,
    Meaning.RECONNECT: ReconnectError,
    Meaning.MISCONFIGURED: MisconfiguredError,
}


@dataclass(frozen=True, slots=True)
class FaultEntry:
    """One entry of a fault, from either shape; `code` is None when it's no number."""

    code: int | None
    message: str
    detail: str
    element: str


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as far as a verdict needs it. `secrets` are texts that no message may repeat."""

    status: int
    body: bytes
    tid: str = ""
    retry_after: timedelta | None = None
    secrets: tuple[str, ...] = ()


class _Envelope(msgspec.Struct):
    upper: msgspec.Raw = msgspec.field(name="Fault", default=msgspec.Raw(b"null"))
    lower: msgspec.Raw = msgspec.field(name="fault", default=msgspec.Raw(b"null"))


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def check_answer(received: Received, *, is_write: bool) -> None:
    """Pass when the answer is a JSON object of success; raise its verdict otherwise, in HTTP 200 too (§2.5)."""
    try:
        envelope = _ENVELOPE.decode(received.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _verdict_of_status(received, is_write=is_write) from None
    fault = _first(envelope.upper, envelope.lower)
    if fault is not None:
        raise _verdict_of_fault(received, fault, is_write=is_write)
    if not 200 <= received.status < 300:
        raise _verdict_of_status(received, is_write=is_write)


def unclear(answered: Answered, *, is_write: bool) -> VerdictError:
    """The verdict when no definite answer came after the request left us."""
    return OutcomeUnknownError(answered) if is_write else TryLaterError(answered)


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """Take tokens out of a text, known or not, and bound it; a gateway fault repeats the token it refuses (§2.5)."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[redacted]")
    # The recorded gateway fault of code 3200 has this detail: “Token expired: ” and the token itself.
    text = re.sub(r"(Token (?:expired|revoked|invalid): ?|Bearer +)\S+", r"\1[redacted]", text, flags=re.IGNORECASE)
    text = re.sub(r"[\w.~+/=-]{48,}", "[redacted]", text)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text[:MESSAGE_LENGTH]


def _first(*candidates: msgspec.Raw) -> object | None:
    for candidate in candidates:
        decoded: object | None = msgspec.json.decode(candidate)
        if decoded:
            return decoded
    return None


def _verdict_of_status(received: Received, *, is_write: bool) -> VerdictError:
    status = received.status
    if status in _STATUSES:
        meaning, words = _STATUSES[status]
    elif 400 <= status < 500 and status != 408:
        meaning, words = Meaning.REJECTED, f"QuickBooks refused the request (HTTP {status})."
    else:
        meaning, words = Meaning.UNCLEAR, f"QuickBooks gave no readable answer (HTTP {status})."
    return _verdict(received, FaultRow(0, status, meaning, words, "§2.5"), (), is_write=is_write)


def _verdict_of_fault(received: Received, fault: object, *, is_write: bool) -> VerdictError:
    entries = _entries(fault)
    row = next((_ROWS[entry.code] for entry in entries if entry.code is not None and entry.code in _ROWS), None)
    if row is None:
        row = _row_of_unknown(received.status, fault)
    return _verdict(received, _refined(row, entries), entries, is_write=is_write)


def _row_of_unknown(status: int, fault: object) -> FaultRow:
    """A code that the table lacks: go by HTTP status, then by the fault's type, else it's a plain refusal."""
    kind = str(fault.get("type") or "").lower() if isinstance(fault, dict) else ""
    if status == 403:
        meaning, words = Meaning.MISCONFIGURED, "QuickBooks doesn't allow this."
    elif status in _STATUSES:
        meaning, words = _STATUSES[status]
    elif status >= 500:
        meaning, words = Meaning.UNCLEAR, "QuickBooks had an error of its own."
    else:
        meaning, words = _TYPES.get(kind, (Meaning.REJECTED, "QuickBooks refused it."))
    return FaultRow(0, status, meaning, words, "§2.5")


def _refined(row: FaultRow, entries: Sequence[FaultEntry]) -> FaultRow:
    """Tell the causes apart that share a code."""
    text = " ".join(f"{entry.message} {entry.detail}" for entry in entries)
    cause = row.cause
    # A recorded detail reads “Invalid Reference Id : Accounts element id 77 not found”; others name Names or Items.
    if row.code == 2500 and "Accounts element id" in text:
        cause = CauseCode.ACCOUNT_INACTIVE
    return FaultRow(row.code, row.http, row.meaning, row.words, row.source, cause)


def _verdict(received: Received, row: FaultRow, entries: Sequence[FaultEntry], *, is_write: bool) -> VerdictError:
    said = redact(_text(entries), received.secrets)
    code = next((str(entry.code) for entry in entries if entry.code is not None), "")
    answered = Answered(
        http_status=received.status,
        tid=received.tid,
        code=str(row.code) if row.code else code,
        message=_message(row, said),
    )
    if row.meaning is Meaning.REJECTED:
        element = next((entry.element for entry in entries if entry.element), "")[:100]
        return RejectedError(answered, cause=row.cause, field_name=element, params={"explanation": row.words})
    if row.meaning is Meaning.TRY_LATER:
        # A page that stops one payload (its words, its size) must not hold up the company's other records.
        is_of_one_record = row.code == 0 and received.status == 403
        return TryLaterError(answered, delay=received.retry_after, scope="record" if is_of_one_record else "connection")
    if row.meaning is Meaning.UNCLEAR:
        return unclear(answered, is_write=is_write)
    return _PLAIN[row.meaning](answered)


def _message(row: FaultRow, said: str) -> str:
    """QuickBooks' own text for a refusal; our words before it where no cause explains it to the person."""
    if not said:
        return row.words
    if row.meaning is Meaning.REJECTED:
        return said
    return f"{row.words} QuickBooks says: {said}"[:MESSAGE_LENGTH]


def _text(entries: Sequence[FaultEntry]) -> str:
    texts: list[str] = []
    for entry in entries:
        both = entry.detail if entry.detail.startswith(entry.message) else f"{entry.message}: {entry.detail}"
        texts.append(both.strip(" :") or f"code {entry.code}")
    return " / ".join(dict.fromkeys(texts))


def _entries(fault: object) -> tuple[FaultEntry, ...]:
    """The entries of {"Error": [{"Message", "Detail", "code", "element"}]} or its lower-case twin."""
    if not isinstance(fault, dict):
        return ()
    found = fault.get("Error") or fault.get("error") or []
    rows = found if isinstance(found, list) else [found]
    return tuple(_entry(row) for row in rows[:20] if isinstance(row, dict))


def _entry(row: Mapping[str, Any]) -> FaultEntry:
    lowered = {str(key).lower(): value for key, value in row.items()}

    def text(key: str) -> str:
        value = lowered.get(key)
        return "" if value is None else str(value)

    code = text("code").strip()
    is_number = code.isascii() and code.isdigit() and len(code) <= 9
    return FaultEntry(
        code=int(code) if is_number else None,
        message=text("message")[:MESSAGE_LENGTH],
        detail=text("detail")[:MESSAGE_LENGTH],
        element=text("element"),
    )
