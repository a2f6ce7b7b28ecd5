"""Every refusal that QuickBooks is known to give ends in one verdict, whichever shape it comes in."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.accounting.port.verdicts import (
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
from cone.providers.quickbooks.faults import FAULTS, MESSAGE_LENGTH, Received, check_answer, redact

CODES: list[tuple[str, int, str, type[VerdictError], CauseCode | None]] = [
    ("120", 401, "Authorization Failure", ReconnectError, None),
    ("130", 400, "Wrong Cluster", TryLaterError, None),
    ("140", 400, "Locked Out", TryLaterError, None),
    ("150", 503, "Maintenance Mode", TryLaterError, None),
    ("500", 400, "Unsupported Operation", RejectedError, CauseCode.REFUSED),
    ("600", 400, "Duplicate request ID", RejectedError, CauseCode.OUTCOME_UNCERTAIN),
    ("610", 400, "Object Not Found", GoneError, None),
    ("620", 400, "Transaction cannot be linked", RejectedError, CauseCode.REFUSED),
    ("1040", 400, "Batch size exceeds limit", RejectedError, CauseCode.REFUSED),
    ("2010", 400, "Request has invalid or unsupported property", RejectedError, CauseCode.REFUSED),
    ("2020", 400, "Required param missing", RejectedError, CauseCode.REFUSED),
    ("2030", 400, "Invalid ID", RejectedError, CauseCode.REFUSED),
    ("2050", 400, "String length", RejectedError, CauseCode.REFUSED),
    ("2090", 400, "Invalid Number", RejectedError, CauseCode.REFUSED),
    ("2130", 400, "Invalid request ID format", RejectedError, CauseCode.REFUSED),
    ("2210", 400, "Invalid email address format", RejectedError, CauseCode.REFUSED),
    ("2500", 400, "Invalid Reference Id", RejectedError, CauseCode.REFERENCE_MISSING),
    ("3001", 429, "ThrottleExceeded", TryLaterError, None),
    ("003001", 403, "ThrottleExceeded", TryLaterError, None),
    ("3100", 403, "ApplicationAuthorizationFailed", MisconfiguredError, None),
    ("3200", 401, "AuthenticationFailed", ReconnectError, None),
    ("3202", 403, "", ReconnectError, None),
    ("4000", 400, "Error parsing query", RejectedError, CauseCode.REFUSED),
    ("4001", 400, "Invalid query", RejectedError, CauseCode.REFUSED),
    ("5010", 400, "Stale Object Error", StaleError, None),
    ("5020", 403, "Permission Denied Error", RejectedError, CauseCode.REFUSED),
    ("5030", 400, "Feature Not Supported Error", RejectedError, CauseCode.REFUSED),
    ("6000", 400, "A business validation error has occurred", RejectedError, CauseCode.REFUSED),
    ("6010", 400, "Missing AccountType", RejectedError, CauseCode.REFUSED),
    ("6070", 400, "Amount calculation incorrect", RejectedError, CauseCode.REFUSED),
    ("6100", 400, "Invalid tax code on a line", RejectedError, CauseCode.TAX_CODE_INACTIVE),
    ("6140", 400, "Duplicate Document Number Error", RejectedError, CauseCode.NUMBER_TAKEN),
    ("6160", 400, "CustomSalesTax", RejectedError, CauseCode.TAX_CODE_INACTIVE),
    ("6170", 400, "TxnTaxDetail", RejectedError, CauseCode.REFUSED),
    ("6180", 400, "Sub-level limit", RejectedError, CauseCode.REFUSED),
    ("6190", 400, "Invalid Company Status", MisconfiguredError, None),
    ("6200", 400, "Account Period Closed", RejectedError, CauseCode.PERIOD_CLOSED),
    ("6210", 400, "Account Period Closed", RejectedError, CauseCode.PERIOD_CLOSED),
    ("6220", 400, "Object with a balance", RejectedError, CauseCode.REFUSED),
    ("6230", 400, "CustomSalesTax", RejectedError, CauseCode.TAX_CODE_INACTIVE),
    ("6240", 400, "Duplicate Name Exists Error", RejectedError, CauseCode.NAME_TAKEN),
    ("6250", 400, "Invalid sales customer", RejectedError, CauseCode.REFUSED),
    ("6540", 400, "Deposited Transaction cannot be changed", RejectedError, CauseCode.REFUSED),
    ("6560", 400, "CustomerRef missing", RejectedError, CauseCode.REFUSED),
    ("10000", 500, "An application error has occurred", OutcomeUnknownError, None),
    # Not in the table: QuickBooks' text stands, and the status or the type decides.
    ("6999", 400, "Something new", RejectedError, CauseCode.REFUSED),
    ("6999", 200, "Something new", RejectedError, CauseCode.REFUSED),
    ("99", 401, "Something new", ReconnectError, None),
    ("99", 403, "Something new", MisconfiguredError, None),
    ("99", 429, "Something new", TryLaterError, None),
    ("99", 500, "Something new", OutcomeUnknownError, None),
    ("", 400, "Something new", RejectedError, CauseCode.REFUSED),
    ("abc", 400, "Something new", RejectedError, CauseCode.REFUSED),
]


def upper(code: str, message: str, detail: str, *, kind: str = "ValidationFault") -> bytes:
    entry = {"Message": message, "Detail": detail, "code": code, "element": "Line"}
    return msgspec.json.encode({"Fault": {"Error": [entry], "type": kind}, "time": "2026-05-05T02:08:55-07:00"})


def lower(code: str, message: str, detail: str, *, kind: str = "ValidationFault") -> bytes:
    entry = {"message": message, "detail": detail, "code": code, "element": None}
    return msgspec.json.encode({"warnings": None, "fault": {"error": [entry], "type": kind}, "time": 1601391072830})


def verdict_of(body: bytes, status: int = 400, *, is_write: bool = True, secrets: tuple[str, ...] = ()) -> VerdictError:
    with pytest.raises(VerdictError) as caught:
        check_answer(Received(status=status, body=body, tid="1-2-3", secrets=secrets), is_write=is_write)
    return caught.value


@pytest.mark.parametrize("shape", [upper, lower])
@pytest.mark.parametrize(("code", "status", "message", "verdict", "cause"), CODES)
def test_fault_of_either_shape_gives_its_verdict(
    shape: type, code: str, status: int, message: str, verdict: type[VerdictError], cause: CauseCode | None
) -> None:
    found = verdict_of(shape(code, message, "what it says"), status)
    assert type(found) is verdict
    assert found.answered.http_status == status
    assert found.answered.tid == "1-2-3"
    assert "what it says" in found.answered.message
    assert (found.cause if isinstance(found, RejectedError) else None) == cause


def test_every_row_of_the_table_is_tried_above() -> None:
    assert {row.code for row in FAULTS} == {int(code) for code, *_ in CODES if code.isdigit()} - {6999, 99}
    assert len({row.code for row in FAULTS}) == len(FAULTS)
    assert all(row.words and row.source for row in FAULTS)


@pytest.mark.parametrize("code", ["10000"])
def test_unclear_fault_lets_a_read_come_back_later(code: str) -> None:
    assert type(verdict_of(upper(code, "m", "d"), 500, is_write=False)) is TryLaterError


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("AuthenticationFault", ReconnectError),
        ("AUTHENTICATION", ReconnectError),
        ("AuthorizationFault", MisconfiguredError),
        ("AuthorizatonFault", MisconfiguredError),
        ("SystemFault", OutcomeUnknownError),
        ("ValidationFault", RejectedError),
        ("", RejectedError),
    ],
)
def test_unknown_code_goes_by_the_faults_type(kind: str, verdict: type[VerdictError]) -> None:
    assert type(verdict_of(upper("7777", "m", "d", kind=kind))) is verdict


def test_known_code_among_several_decides() -> None:
    entries = [{"Message": "First", "Detail": "", "code": "7777"}, {"Message": "Second", "Detail": "", "code": "5010"}]
    body = msgspec.json.encode({"Fault": {"Error": entries, "type": "ValidationFault"}})
    found = verdict_of(body)
    assert type(found) is StaleError
    assert found.answered.code == "5010"
    assert "First / Second" in found.answered.message


def test_reference_to_an_account_is_told_from_others() -> None:
    account = verdict_of(
        upper("2500", "Invalid Reference Id", "Invalid Reference Id : Accounts element id 77 not found")
    )
    names = verdict_of(upper("2500", "Invalid Reference Id", "Invalid Reference Id : Names element id 75 not found"))
    assert isinstance(account, RejectedError)
    assert isinstance(names, RejectedError)
    assert (account.cause, names.cause) == (CauseCode.ACCOUNT_INACTIVE, CauseCode.REFERENCE_MISSING)


def test_rejection_carries_the_field_quickbooks_text_and_ours() -> None:
    text = "Duplicate Document Number Error : You must specify a different number."
    found = verdict_of(upper("6140", "Duplicate Document Number Error", text))
    assert isinstance(found, RejectedError)
    assert found.field_name == "Line"
    assert found.answered.message == text
    assert found.params == {"explanation": "The number is already used in QuickBooks."}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, ReconnectError),
        (403, TryLaterError),
        (404, RejectedError),
        (413, RejectedError),
        (429, TryLaterError),
        (500, OutcomeUnknownError),
        (503, OutcomeUnknownError),
        (302, OutcomeUnknownError),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"Fault":null}', b'{"fault":{}}', b"[]", b"12"])
def test_status_decides_where_no_fault_can_be_read(status: int, verdict: type[VerdictError], body: bytes) -> None:
    assert type(verdict_of(body, status)) is verdict


@pytest.mark.parametrize(
    "fault", ['"text"', "[1]", '{"Error":"text"}', '{"Error":[1,null]}', '{"Error":{"code":5010}}']
)
def test_malformed_fault_is_a_verdict_all_the_same(fault: str) -> None:
    verdict = verdict_of(b'{"Fault":' + fault.encode() + b"}")
    assert type(verdict) in (RejectedError, StaleError)


def test_throttle_keeps_the_delay() -> None:
    received = Received(status=429, body=b"", retry_after=timedelta(seconds=9))
    with pytest.raises(TryLaterError) as caught:
        check_answer(received, is_write=True)
    assert caught.value.delay == timedelta(seconds=9)


@pytest.mark.parametrize("body", [b'{"Invoice":{}}', b'{"QueryResponse":{}}', b'{"fault":null,"Invoice":{}}'])
def test_success_passes(body: bytes) -> None:
    check_answer(Received(status=200, body=body), is_write=True)


def test_message_never_repeats_a_token() -> None:
    token = "eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..abc"
    body = lower("3200", "AuthenticationFailed", f"Token expired: {token}", kind="AUTHENTICATION")
    assert token not in verdict_of(body, 401).answered.message
    assert "short" not in verdict_of(upper("6000", "It was short", "short"), secrets=("short",)).answered.message
    assert redact(f"x Bearer {token}, y") == "x Bearer [redacted] y"
    assert redact("a\nb\x00c") == "a b c"


@given(st.text(), st.text(), st.sampled_from([200, 400, 401, 403, 429, 500]), st.booleans())
def test_any_fault_text_ends_in_a_bounded_verdict(code: str, text: str, status: int, is_write: bool) -> None:
    found = verdict_of(upper(code, text, text), status, is_write=is_write)
    assert len(found.answered.message) <= MESSAGE_LENGTH


@given(st.binary(max_size=200), st.integers(min_value=300, max_value=599))
def test_any_bytes_of_an_error_end_in_a_verdict(body: bytes, status: int) -> None:
    verdict_of(body, status)
