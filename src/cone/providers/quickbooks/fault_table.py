"""QuickBooks' fault codes: what each means, and what to tell a person. Data alone; `faults` reads it.

"§" is a section of the collected facts on the API; "error table" is Intuit's page
developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes (as of autumn 2026). The words follow
"QuickBooks refused {record}:" or stand alone; they name what to change where a person can change it.
"""

from dataclasses import dataclass
from enum import Enum, auto

from cone.accounting.port.verdicts import CauseCode


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


_TABLE = "error table"


def _refused(code: int, words: str, source: str = _TABLE, cause: CauseCode = CauseCode.REFUSED) -> FaultRow:
    return FaultRow(code, 400, Meaning.REJECTED, words, source, cause)


# Access, and the company as a whole.
_ACCESS = (
    FaultRow(100, 401, Meaning.RECONNECT, "QuickBooks doesn't accept the sign-in any more.", _TABLE),
    FaultRow(110, 401, Meaning.RECONNECT, "QuickBooks doesn't accept the sign-in any more.", _TABLE),
    FaultRow(120, 401, Meaning.RECONNECT, "Who connected QuickBooks no longer has access.", "§2.6, reported"),
    FaultRow(130, None, Meaning.TRY_LATER, "QuickBooks is moving this company.", _TABLE),
    FaultRow(140, None, Meaning.TRY_LATER, "QuickBooks has locked this company for now.", _TABLE),
    FaultRow(150, 503, Meaning.TRY_LATER, "QuickBooks is under maintenance.", _TABLE),
    FaultRow(3001, 429, Meaning.TRY_LATER, "QuickBooks asks to slow down.", "§2.6, recorded (403 in 2016)"),
    FaultRow(3100, 403, Meaning.MISCONFIGURED, "These app keys may not use this company.", "§2.6, reported"),
    FaultRow(3200, 401, Meaning.RECONNECT, "QuickBooks doesn't accept the sign-in any more.", "§2.5, recorded"),
    FaultRow(3202, 403, Meaning.RECONNECT, "The app is no longer connected to this company.", _TABLE),
    FaultRow(
        6190, 400, Meaning.MISCONFIGURED, "The QuickBooks subscription has ended or has a problem.", "§2.6, reported"
    ),
    FaultRow(
        10200,
        400,
        Meaning.MISCONFIGURED,
        "The company's books in QuickBooks were reset, so nothing that was sent is there any more. "
        "Disconnect and connect again.",
        _TABLE,
    ),
)

# The request as a whole, its ids, and the objects it names.
_OBJECTS = (
    _refused(500, "QuickBooks doesn't support this operation.", "§2.6, recorded"),
    # A repeat that is told "duplicate" means that the first one arrived: the engine looks for it, and never re-creates.
    _refused(600, "QuickBooks has seen this request before.", "§2.4, error table", CauseCode.OUTCOME_UNCERTAIN),
    FaultRow(610, 400, Meaning.GONE, "It, or something it refers to, is no longer active there.", "§2.6, recorded"),
    _refused(620, "The two belong to different customers or currencies in QuickBooks.", "§2.6, reported"),
    _refused(630, "QuickBooks has something of the same name or number already."),
    _refused(700, "The record it belongs to isn't there any more.", _TABLE, CauseCode.REFERENCE_MISSING),
    _refused(800, "Other records in QuickBooks depend on it; remove those first."),
    _refused(900, "A record can't belong to itself."),
    _refused(1000, "QuickBooks couldn't do it."),
    _refused(1010, "QuickBooks couldn't create it."),
    _refused(1020, "QuickBooks couldn't change it."),
    _refused(1040, "Too many records in one request."),
    _refused(1050, "QuickBooks doesn't read this kind of content."),
    _refused(
        2500,
        "It refers to something that QuickBooks doesn't have, or no longer uses.",
        "§2.6, recorded",
        CauseCode.REFERENCE_MISSING,
    ),
    _refused(2600, "Two of the fields sent contradict each other."),
    FaultRow(5010, 400, Meaning.STALE, "It was changed in QuickBooks meanwhile.", "§2.6, recorded"),
    FaultRow(5020, 403, Meaning.REJECTED, "The person who connected QuickBooks may not change this.", _TABLE),
    # Not the whole connection: one record's use of a feature must not stop the company's others.
    _refused(5030, "This edition of QuickBooks doesn't have the feature that the record needs."),
)

# Single fields.
_FIELDS = (
    _refused(2000, "QuickBooks doesn't know this kind of record."),
    _refused(2010, "QuickBooks doesn't know one of the fields sent.", "§2.6, recorded"),
    _refused(2020, "QuickBooks misses a field.", "§2.6, recorded"),
    _refused(2030, "QuickBooks doesn't accept an id.", "§2.6, recorded"),
    _refused(2040, "A text has characters that QuickBooks doesn't accept."),
    _refused(2050, "A text is too long for QuickBooks; shorten it.", "§2.6, reported"),
    _refused(2060, "QuickBooks can't read a date."),
    _refused(2070, "QuickBooks doesn't accept a date."),
    _refused(2080, "QuickBooks can't read a number."),
    _refused(2090, "QuickBooks doesn't accept a number."),
    _refused(2100, "QuickBooks can't read an amount."),
    _refused(2110, "QuickBooks doesn't accept an amount."),
    _refused(2120, "QuickBooks doesn't accept the type of record."),
    _refused(2130, "QuickBooks doesn't accept the request id.", "§2.4, error table"),
    _refused(2140, "QuickBooks doesn't accept an amount."),
    _refused(2150, "QuickBooks doesn't accept a percentage."),
    _refused(2160, "QuickBooks doesn't accept a quantity."),
    _refused(2170, "QuickBooks doesn't know one of the values sent."),
    _refused(2180, "A text is out of the range that QuickBooks accepts."),
    _refused(2190, "A date is out of the range that QuickBooks accepts."),
    _refused(2200, "QuickBooks doesn't accept the web address."),
    _refused(
        2210, "QuickBooks doesn't accept the e-mail address; check it.", "§2.6, reported", CauseCode.EMAIL_INVALID
    ),
    _refused(2220, "QuickBooks doesn't accept the currency."),
    _refused(2230, "QuickBooks can't read a yes-or-no value."),
    _refused(2240, "A number is out of the range that QuickBooks accepts."),
    _refused(2250, "It needs at least one line."),
    _refused(2260, "A journal line must be a debit or a credit."),
    _refused(2270, "QuickBooks misses what the tax applies to."),
    _refused(2280, "QuickBooks misses the tax amount of a line."),
    _refused(2290, "QuickBooks doesn't accept a line with a negative amount."),
    _refused(2300, "Debits and credits aren't equal."),
    _refused(3000, "QuickBooks doesn't accept a custom field."),
    _refused(5000, "QuickBooks no longer accepts one of the fields sent."),
)

# What QuickBooks' own bookkeeping rules say.
_RULES = (
    _refused(6000, "QuickBooks' own rules refuse it.", "§2.6, recorded"),
    _refused(6010, "QuickBooks needs an account type."),
    _refused(6070, "An amount isn't quantity times price for QuickBooks.", "§2.6, reported"),
    _refused(6080, "A customer needs a name.", _TABLE, CauseCode.NAME_INVALID),
    _refused(6090, "A discount needs an amount or a percentage."),
    _refused(6100, "QuickBooks doesn't accept a line's tax code.", _TABLE, CauseCode.TAX_CODE_INACTIVE),
    _refused(6140, "The number is already used in QuickBooks.", "§2.6, recorded", CauseCode.NUMBER_TAKEN),
    _refused(6160, "QuickBooks' custom sales tax code can't be used.", _TABLE, CauseCode.TAX_CODE_INACTIVE),
    _refused(6170, "Tax details on an invoice without tax."),
    _refused(6180, "Too many levels of sub-records: QuickBooks has five."),
    _refused(6200, "The books are closed for this date.", _TABLE, CauseCode.PERIOD_CLOSED),
    _refused(6210, "The books are closed for this date.", "§2.6, reported", CauseCode.PERIOD_CLOSED),
    _refused(6220, "It still has a balance in QuickBooks, so it must stay active."),
    _refused(6230, "QuickBooks' custom sales tax code can't be used.", _TABLE, CauseCode.TAX_CODE_INACTIVE),
    _refused(6240, "The name is already used in QuickBooks.", "§2.6, recorded", CauseCode.NAME_TAKEN),
    _refused(6250, "The customer isn't in QuickBooks any more, or is inactive.", _TABLE, CauseCode.REFERENCE_MISSING),
    _refused(6280, "The customer has unbilled charges in QuickBooks."),
    _refused(
        6420,
        "It's to be sent by e-mail from QuickBooks, and the customer has no e-mail address.",
        _TABLE,
        CauseCode.EMAIL_MISSING,
    ),
    _refused(6430, "An account it refers to is of a type that can't be used for it."),
    _refused(6440, "A line misses its product or service."),
    _refused(6450, "It's settled already, so it can't be voided."),
    _refused(6470, "The tax of a line isn't allowed there, or has no rate."),
    _refused(6480, "It's matched to a bank transaction in QuickBooks; undo the match there first."),
    _refused(6520, "A stock item needs a quantity."),
    _refused(6530, "QuickBooks doesn't accept card numbers."),
    _refused(
        6540, "It's part of a bank deposit in QuickBooks; take it out of the deposit there first.", "§2.6, reported"
    ),
    _refused(6560, "QuickBooks misses the customer."),
)

# Queries, and QuickBooks' own failures.
_FAILURES = (
    _refused(4000, "QuickBooks doesn't understand the query.", "§2.6, recorded"),
    _refused(4001, "QuickBooks doesn't answer this query.", "§2.6, recorded"),
    FaultRow(4002, 400, Meaning.UNCLEAR, "QuickBooks couldn't answer the query.", _TABLE),
    FaultRow(10000, 500, Meaning.UNCLEAR, "QuickBooks had an error of its own.", "§2.6, recorded"),
    _refused(10100, "QuickBooks' answer would be too large."),
)

FAULTS: tuple[FaultRow, ...] = (*_ACCESS, *_OBJECTS, *_FIELDS, *_RULES, *_FAILURES)
