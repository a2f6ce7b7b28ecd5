"""Every error the accounting API answers with: the two recorded shapes and the table of texts.

Fault                 an application fault, HTTP 400 unless the table says otherwise
gateway_body()        the lower-case object that the gateway answers for tokens and rights
"""

from dataclasses import dataclass
from typing import NamedTuple

from .evidence import Mark, rule
from .jsonio import Json


class Entry(NamedTuple):
    message: str
    status: int = 400
    type: str = "ValidationFault"
    mark: Mark = Mark.DOCUMENT


_ENTRIES: dict[int, Entry] = {
    500: Entry("Unsupported Operation", mark=Mark.RECORDING),
    600: Entry("Duplicate request ID"),
    610: Entry("Object Not Found", mark=Mark.RECORDING),
    620: Entry("Transaction cannot be linked", mark=Mark.REPORT),
    1040: Entry("Batch size exceeds limit"),
    2010: Entry("Request has invalid or unsupported property", mark=Mark.RECORDING),
    2020: Entry("Required param missing, need to supply the required value for the API", mark=Mark.RECORDING),
    2030: Entry("Invalid ID", mark=Mark.RECORDING),
    2050: Entry("String length specified does not match the supported length", mark=Mark.REPORT),
    2090: Entry("Invalid Number"),
    2130: Entry("Invalid request ID format"),
    2210: Entry("Invalid email address format", mark=Mark.REPORT),
    2500: Entry("Invalid Reference Id", mark=Mark.RECORDING),
    3001: Entry("message=ThrottleExceeded; errorCode=003001; statusCode=429", 429, "SERVICE", Mark.RECORDING),
    4000: Entry("Error parsing query", mark=Mark.RECORDING),
    4001: Entry("Invalid query", mark=Mark.RECORDING),
    5010: Entry("Stale Object Error", mark=Mark.RECORDING),
    5030: Entry("Feature Not Supported Error"),
    6000: Entry("A business validation error has occurred while processing your request", mark=Mark.RECORDING),
    6010: Entry("Missing AccountType/AccountSubType"),
    6070: Entry("Amount calculation incorrect in the request", mark=Mark.REPORT),
    6100: Entry("Invalid tax code on a line (US accepts TAX or NON)"),
    6140: Entry("Duplicate Document Number Error", mark=Mark.RECORDING),
    6160: Entry("CustomSalesTax code cannot be used"),
    6170: Entry("TxnTaxDetail not allowed with NotApplicable"),
    6180: Entry("Sub-level limit exceeded"),
    6190: Entry("Invalid Company Status", mark=Mark.REPORT),
    6210: Entry("Account Period Closed, Cannot Update Through Services API", mark=Mark.REPORT),
    6220: Entry("Object with a balance cannot be deleted/inactivated"),
    6240: Entry("Duplicate Name Exists Error", mark=Mark.RECORDING),
    6540: Entry("Deposited Transaction cannot be changed", mark=Mark.REPORT),
    10000: Entry("An application error has occurred while processing your request", 500, "SystemFault", Mark.RECORDING),
}
for _code, _entry in _ENTRIES.items():
    rule(f"fault.{_code}", _entry.message, _entry.mark, "Intuit error table and recorded answers")

# Codes whose recorded bodies carry an empty element; the others leave the member out.
_EMPTY_ELEMENT = frozenset({610, 5010, 6240, 6000})


@dataclass(frozen=True, slots=True)
class Reason:
    code: int
    detail: str
    element: str | None = None

    def as_json(self) -> Json:
        body: Json = {"Message": _ENTRIES[self.code].message, "Detail": self.detail, "code": str(self.code)}
        element = "" if self.element is None and self.code in _EMPTY_ELEMENT else self.element
        if element is not None:
            body["element"] = element
        return body


class Fault(Exception):  # noqa: N818 - QuickBooks' own word
    """An application fault with one or more reasons."""

    def __init__(self, code: int, detail: str, element: str | None = None) -> None:
        super().__init__(f"{code} {detail}")
        self.reasons = [Reason(code, detail, element)]

    @property
    def code(self) -> int:
        return self.reasons[0].code

    @property
    def status(self) -> int:
        return _ENTRIES[self.code].status

    def as_json(self) -> Json:
        return {"Error": [reason.as_json() for reason in self.reasons], "type": _ENTRIES[self.code].type}


def ordered_fault(order: Json) -> Json:
    """A fault body that was ordered word by word, in the shape of an application fault."""
    members = {"message": "Message", "detail": "Detail", "code": "code", "element": "element"}
    error = {name: order[given] for given, name in members.items() if given in order}
    return {"Error": [error], "type": order.get("type", "ValidationFault")}


def unsupported(what: str) -> Fault:
    """What this emulator does not cover: never answered plausibly."""
    return Fault(500, f"Operation {what} is not supported.")


def not_found() -> Fault:
    return Fault(
        610,
        "Object Not Found : Something you're trying to use has been made inactive. "
        "Check the fields with accounts, customers, items, vendors or employees.",
    )


def stale(user: str) -> Fault:
    return Fault(
        5010,
        f"Stale Object Error : You and {user} were working on this at the same time. "
        f"{user} finished before you did, so your work was not saved.",
    )


def missing(name: str) -> Fault:
    return Fault(2020, f"Required parameter {name} is missing in the request", name)


def too_long(name: str, limit: int, supplied: int) -> Fault:
    return Fault(
        2050,
        "String length specified does not match the supported length. "
        f"Min:0 Max:{limit:,} supported. Supplied length:{supplied:,}",
        name,
    )


def business(text: str) -> Fault:
    return Fault(6000, f"Business Validation Error: {text}")


def period_closed() -> Fault:
    return Fault(
        6210,
        "The account period has closed and the account books cannot be updated through the QBO Services API. "
        "Please use the QBO website to make these changes.",
    )


class GatewayFault(Exception):  # noqa: N818 - QuickBooks' own word
    """Refused before the accounting service is reached: another, lower-case body."""

    def __init__(self, *, status: int, name: str, code: int, detail: str, kind: str) -> None:
        super().__init__(f"{code} {name}")
        self.status = status
        self.message = f"message={name}; errorCode={code:06d}; statusCode={status}"
        self.code = code
        self.detail = detail
        self.kind = kind

    def as_json(self, now_ms: int) -> Json:
        error = {"message": self.message, "detail": self.detail, "code": str(self.code), "element": None}
        return {
            "warnings": None,
            "intuitObject": None,
            "fault": {"error": [error], "type": self.kind},
            "report": None,
            "queryResponse": None,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": None,
            "requestId": None,
            "time": now_ms,
            "status": None,
            "cdcresponse": [],
        }


def authentication_failed(detail: str) -> GatewayFault:
    return GatewayFault(status=401, name="AuthenticationFailed", code=3200, detail=detail, kind="AUTHENTICATION")


def authorization_failed(detail: str) -> GatewayFault:
    return GatewayFault(
        status=403, name="ApplicationAuthorizationFailed", code=3100, detail=detail, kind="AUTHORIZATION"
    )


rule(
    "gateway.401",
    "The lower-case body with WWW-Authenticate; its detail repeats the token",
    Mark.RECORDING,
    "recorded 401 answer",
)
rule("gateway.403", "A token of another company: 3100 in the gateway's shape", Mark.REPORT, "shape is assumed")
