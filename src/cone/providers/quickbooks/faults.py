"""What QuickBooks' refusals mean: from either shape of fault, by the table of codes, to a verdict.

"§" is a section of the collected facts on the API. Nothing else in this provider decides by a fault's text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
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
    Verdict,
)
from cone.providers.quickbooks.fault_table import FAULTS, FaultRow, Meaning

MESSAGE_LENGTH = 2000


# The text of the 429 that means "no more reads this month" isn't published (§3, §13): words that only it should have.
_ALLOWANCE = re.compile(r"\b(quota|monthly|per month|this month|CorePlus|billing (?:cycle|period))\b", re.IGNORECASE)

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
    """An answer as far as a verdict needs it. `secrets` are texts that no message may repeat.

    `is_metered`: a write that counts against the month's allowance all the same, since it's a batch (§3).
    """

    status: int
    body: bytes
    tid: str = ""
    retry_after: timedelta | None = None
    secrets: tuple[str, ...] = ()
    is_metered: bool = False


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
        raise verdict_of_fault(received, fault, is_write=is_write)
    if not 200 <= received.status < 300:
        raise _verdict_of_status(received, is_write=is_write)


def unclear(answered: Answered, *, is_write: bool) -> Verdict:
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


def _verdict_of_status(received: Received, *, is_write: bool) -> Verdict:
    status = received.status
    if status in _STATUSES:
        meaning, words = _STATUSES[status]
    elif 400 <= status < 500 and status != 408:
        meaning, words = Meaning.REJECTED, f"QuickBooks refused the request (HTTP {status})."
    else:
        meaning, words = Meaning.UNCLEAR, f"QuickBooks gave no readable answer (HTTP {status})."
    return _verdict(received, FaultRow(0, status, meaning, words, "§2.5"), (), is_write=is_write)


def verdict_of_fault(received: Received, fault: object, *, is_write: bool) -> Verdict:
    """The verdict of a fault object: an answer's, or one item's of a batch."""
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
    return replace(row, cause=cause)


def _verdict(received: Received, row: FaultRow, entries: Sequence[FaultEntry], *, is_write: bool) -> Verdict:
    said = redact(_text(entries), received.secrets)
    code = next((str(entry.code) for entry in entries if entry.code is not None), "")
    answered = Answered(
        http_status=received.status,
        tid=received.tid,
        code=str(row.code) if row.code else code,
        message=_message(row, said),
        said=said,
    )
    if row.meaning is Meaning.REJECTED:
        element = next((entry.element for entry in entries if entry.element), "")[:100]
        return RejectedError(answered, cause=row.cause, field_name=element, params={"explanation": row.words})
    if row.meaning is Meaning.TRY_LATER and _says_allowance_is_used(received):
        # Single writes aren't metered (§3): a refused read or batch says nothing against them, a refused one stops
        # everything.
        message = f"The monthly allowance is used up. {answered.message}"[:MESSAGE_LENGTH]
        is_free = is_write and not received.is_metered
        return TryLaterError(replace(answered, message=message), allowance="everything" if is_free else "reads")
    if row.meaning is Meaning.TRY_LATER:
        # A page that stops one payload (its words, its size) must not hold up the company's other records.
        is_of_one_record = row.code == 0 and received.status == 403
        return TryLaterError(answered, delay=received.retry_after, scope="record" if is_of_one_record else "connection")
    if row.meaning is Meaning.UNCLEAR:
        return unclear(answered, is_write=is_write)
    return _PLAIN[row.meaning](answered)


def _says_allowance_is_used(received: Received) -> bool:
    return received.status == 429 and _ALLOWANCE.search(received.body[:4000].decode(errors="replace")) is not None


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
