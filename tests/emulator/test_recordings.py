"""Exchanges recorded against QuickBooks, replayed: same status, same shape, same sums, or a known difference."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.emulator.recording_differences import KNOWN, UNCOVERED
from tests.emulator.recordings import FOLDER, Recording, differences, load, replay, stand_up
from tests.emulator.running import Company, exact

RECORDED = sorted(path.stem for path in FOLDER.glob("*.json"))

if not RECORDED:
    pytest.skip("NOT REPLAYED: the recorded exchanges are not beside this checkout", allow_module_level=True)


def _everything(company: Company, recording: Recording) -> None:
    for entity, record in list(recording.records()):
        if "MetaData" in record:
            stand_up(company, recording, entity, record)


def _nothing(company: Company, recording: Recording) -> None:
    """The request makes what it answers, or is refused in any company."""


def _from(name: str) -> Callable[[Company, Recording], None]:
    """What an earlier exchange showed."""

    def prepare(company: Company, recording: Recording) -> None:
        for entity, record in load(name).records():
            stand_up(company, recording, entity, record)

    return prepare


def _receipts(company: Company, recording: Recording) -> None:
    for entity, record in list(recording.records()):
        if entity == "SalesReceipt":
            stand_up(company, recording, entity, record)
    # The recorded one had been changed before, so that version 0 is stale.
    number = recording.numbers["SalesReceipt", "11"]
    for version, note in (("0", "changed"), ("1", "A private note.")):
        body = {"Id": number, "SyncToken": version, "sparse": True, "PrivateNote": note}
        company.create("SalesReceipt", body)


def _changed_receipt(company: Company, recording: Recording) -> None:
    _everything(company, recording)
    number = recording.numbers["SalesReceipt", "17"]
    company.create("SalesReceipt", {"Id": number, "SyncToken": "0", "sparse": True, "PrivateNote": "to be cleared"})


def _inactive_account(company: Company, recording: Recording) -> None:
    body = {"Id": "5", "SyncToken": "0", "sparse": True, "Name": "Fees Billed", "Active": False}
    assert company.create("Account", body)["SyncToken"] == "1"


def _taken_name(company: Company, recording: Recording) -> None:
    company.create("Customer", {"DisplayName": recording.request["body"]["DisplayName"]})


def _expired_token(company: Company, recording: Recording) -> None:
    company.running.control("POST", "tokens/expire")


BEFORE: Mapping[str, Callable[[Company, Recording], None]] = {
    "batch-basic": _receipts,
    "create-customer": _nothing,
    "create-invoice": _nothing,
    "deactivate-account": _inactive_account,
    "delete-invoice-1": _from("delete-invoice-0"),
    "error-401": _expired_token,
    "error-validation": _taken_name,
    "update-customer-1": _from("update-customer-0"),
    "update-sales_receipt": _changed_receipt,
    "void-invoice-1": _from("void-invoice-0"),
}


@pytest.mark.parametrize("name", [name for name in RECORDED if name not in UNCOVERED])
def test_recorded_exchange_goes_the_same(us: Company, name: str) -> None:
    recording = load(name)
    BEFORE.get(name, _everything)(us, recording)
    response = replay(us, recording)
    answer = exact(response)
    assert response.status_code == recording.response["status"], response.text
    assert differences(recording, answer) == set(KNOWN.get(name, {}))
    for rows, said in _counts(answer):
        assert rows == said


def _counts(answer: Any) -> list[tuple[int, int]]:
    """For each list of rows, its length and what the answer says of it."""
    found: list[tuple[int, int]] = []
    if isinstance(answer, dict):
        lists = [len(each) for each in answer.values() if isinstance(each, list)]
        if "maxResults" in answer:
            found.append((sum(lists), answer["maxResults"]))
        for each in answer.values():
            found += _counts(each)
    elif isinstance(answer, list):
        for each in answer:
            found += _counts(each)
    return found


@pytest.mark.parametrize("name", sorted(UNCOVERED))
def test_uncovered_exchange_is_refused_loudly(us: Company, name: str) -> None:
    response = replay(us, load(name))
    assert response.status_code == 400
    assert exact(response)["Fault"]["Error"][0]["Detail"] == UNCOVERED[name]


def test_every_known_difference_belongs_to_a_recording() -> None:
    assert not {*KNOWN, *BEFORE, *UNCOVERED} - set(RECORDED)
