"""Repeated writes under each policy of the request id store."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.emulator.running import Company, Json, Running, exact, open_client, start, stop


def policy(emulator: Running, **parts: str | int) -> Json:
    return emulator.control("POST", "request-ids", parts)


def post(company: Company, name: str, request_id: str = "r-1") -> httpx.Response:
    return company.call("POST", "customer", {"DisplayName": name}, requestid=request_id)


def count(company: Company) -> int:
    return int(company.query("select count(*) from Customer")["totalCount"])


def test_policy_starts_as_documented(emulator: Running) -> None:
    assert emulator.control("GET", "request-ids") == {
        "remembered": "forever",
        "faults": "executed",
        "running": "waits",
        "other_body": "original",
        "lookups_blind_seconds": 0,
    }


def test_remembered_for_ever_even_after_years_and_a_deletion(uk: Company, emulator: Running) -> None:
    line = {
        "Amount": 5,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": uk.code("0.0% Z")}},
    }
    customer = uk.all("Customer")[0]["Id"]
    body = {"CustomerRef": {"value": customer}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}
    first = uk.call("POST", "invoice", body, requestid="i-1")
    number = exact(first)["Invoice"]["Id"]
    uk.create("Invoice", {"Id": number, "SyncToken": "0"}, operation="delete")
    emulator.control("POST", "clock", {"jump_seconds": 3 * 365 * 86_400})
    uk.tokens = emulator.connect(uk.realm)
    assert uk.call("POST", "invoice", body, requestid="i-1").content == first.content
    assert uk.fault("GET", f"invoice/{number}")["code"] == "610"


def test_forgotten_after_seconds(uk: Company, emulator: Running) -> None:
    policy(emulator, remembered=60)
    first = post(uk, "Once")
    emulator.control("POST", "clock", {"jump_seconds": 59})
    assert post(uk, "Once").content == first.content
    emulator.control("POST", "clock", {"jump_seconds": 1})
    assert exact(post(uk, "Once"))["Fault"]["Error"][0]["code"] == "6240"
    assert post(uk, "Twice").status_code == 200


def test_ignored(uk: Company, emulator: Running) -> None:
    policy(emulator, remembered="ignored")
    assert post(uk, "One").status_code == 200
    assert exact(post(uk, "Two"))["Customer"]["DisplayName"] == "Two"
    assert exact(post(uk, "Three", "x" * 51))["Fault"]["Error"][0]["code"] == "2130"


@pytest.mark.parametrize(("faults", "status"), [("executed", 200), ("replayed", 400)])
def test_faults_are_executed_again_or_replayed(uk: Company, emulator: Running, faults: str, status: int) -> None:
    policy(emulator, faults=faults)
    vendor = uk.create("Vendor", {"DisplayName": "In the way"})
    refused = post(uk, "In the way")
    assert refused.status_code == 400
    uk.create("Vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "DisplayName": "Aside"})
    repeated = post(uk, "In the way")
    assert repeated.status_code == status
    assert (repeated.content == refused.content) is (status == 400)


@pytest.mark.parametrize(("running", "made"), [("waits", 1), ("executes", 2)])
def test_repeat_while_the_first_still_executes(uk: Company, emulator: Running, running: str, made: int) -> None:
    policy(emulator, running=running)
    emulator.control("POST", "faults", {"match": {"entity": "item"}, "count": 1, "action": {"latency_ms": 500}})
    emulator.control("POST", "faults", {"match": {"entity": "payment"}, "count": 1, "action": {"latency_ms": 500}})
    customer = uk.all("Customer")[0]["Id"]
    body = {"CustomerRef": {"value": customer}, "TotalAmt": 7}

    def pay(_: int) -> httpx.Response:
        return uk.call("POST", "payment", body, requestid="p-1")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(pay, 1)
        time.sleep(0.2)
        second = pool.submit(pay, 2)
        ids = {exact(each.result())["Payment"]["Id"] for each in (first, second)}
    assert len(ids) == made
    assert uk.query("select count(*) from Payment") == {"totalCount": made}


@pytest.mark.parametrize(("other_body", "status"), [("original", 200), ("refused", 400)])
def test_another_body_under_the_same_id(uk: Company, emulator: Running, other_body: str, status: int) -> None:
    policy(emulator, other_body=other_body)
    first = post(uk, "Mine")
    other = post(uk, "Other")
    assert other.status_code == status
    if status == 200:
        assert other.content == first.content
    else:
        assert exact(other)["Fault"]["Error"][0]["code"] == "600"
    assert post(uk, "Mine").content == first.content


def test_batch_items_are_known_by_request_id_and_bid(uk: Company, emulator: Running) -> None:
    def batch(*names: str) -> list[Json]:
        items = [{"bId": name[0], "operation": "create", "Customer": {"DisplayName": name}} for name in names]
        answers: list[Json] = exact(uk.call("POST", "batch", {"BatchItemRequest": items}, requestid="b-1"))[
            "BatchItemResponse"
        ]
        return answers

    [first] = batch("Anna")
    before = count(uk)
    again, added = batch("Anna", "Berta")
    assert (again, added["Customer"]["DisplayName"]) == (first, "Berta")
    assert count(uk) == before + 1
    policy(emulator, other_body="refused")
    [refused] = batch("Agnes")
    assert refused["Fault"]["Error"][0]["code"] == "600"


def test_long_bids_are_refused_only_together_with_a_request_id(uk: Company) -> None:
    def batch(name: str, **params: str) -> Json:
        item = {"bId": "x" * 36, "operation": "create", "Customer": {"DisplayName": name}}
        [answer] = exact(uk.call("POST", "batch", {"BatchItemRequest": [item]}, **params))["BatchItemResponse"]
        found: Json = answer
        return found

    assert batch("Without")["Customer"]["DisplayName"] == "Without"
    assert batch("With", requestid="b-1")["Fault"]["Error"][0]["code"] == "2130"
    assert uk.fault("POST", "batch", {"BatchItemRequest": []}, requestid="x" * 37)["code"] == "2130"


def test_lookups_can_be_blind_to_what_is_new(uk: Company, emulator: Running) -> None:
    before = count(uk)
    policy(emulator, lookups_blind_seconds=30)
    made = uk.create("Customer", {"DisplayName": "Fresh"})
    by_name = "select * from Customer where DisplayName = 'Fresh'"
    emulator.control("POST", "clock", {"jump_seconds": 28})
    assert uk.query(by_name) == {}
    assert uk.read("Customer", made["Id"]) == made
    assert uk.fault("POST", "customer", {"DisplayName": "Fresh"})["code"] == "6240"
    emulator.control("POST", "clock", {"jump_seconds": 3})
    assert uk.query(by_name)["Customer"][0]["Id"] == made["Id"]
    assert count(uk) == before + 1


def test_change_data_is_as_blind_as_queries(uk: Company, emulator: Running) -> None:
    def changed() -> set[str]:
        params = {"entities": "Customer", "changedSince": since}
        item = {"bId": "1", "CDCQuery": {"Entities": params["entities"], "ChangedSince": since}}
        [batched] = exact(uk.call("POST", "batch", {"BatchItemRequest": [item]}))["BatchItemResponse"]
        [alone] = exact(uk.call("GET", "cdc", **params))["CDCResponse"]
        assert batched["CDCResponse"] == [alone]
        return {each["Id"] for block in alone["QueryResponse"] for found in block.values() for each in rows(found)}

    def rows(found: object) -> list[Json]:
        return found if isinstance(found, list) else []

    since = uk.read("CompanyInfo", uk.realm)["MetaData"]["LastUpdatedTime"]
    policy(emulator, lookups_blind_seconds=30)
    before = changed()
    kept = uk.create("Customer", {"DisplayName": "Kept"})["Id"]
    assert changed() == before
    emulator.control("POST", "clock", {"jump_seconds": 31})
    assert kept in changed() - before


def test_memory_survives_a_kill(tmp_path: Path) -> None:
    process, base = start("--data-dir", str(tmp_path))
    with open_client(base) as http:
        emulator = Running(base, http)
        company = emulator.company(emulator.control("GET", "health")["companies"][0]["realm_id"])
        policy(emulator, remembered=3600)
        first = post(company, "Survivor")
    process.kill()
    process.communicate(timeout=10)
    process, base = start("--data-dir", str(tmp_path))
    with open_client(base) as http:
        company.running = emulator = Running(base, http)
        policy(emulator, remembered=3600, other_body="refused")
        assert post(company, "Survivor").content == first.content
        assert post(company, "Another").status_code == 400
        emulator.control("POST", "clock", {"jump_seconds": 3600})
        company.tokens = emulator.connect(company.realm)
        assert post(company, "Another").status_code == 200
    assert stop(process) == 0


@pytest.mark.parametrize(
    "order", [{"remembered": "once"}, {"faults": "yes"}, {"lookups_blind_seconds": -1}, {"kept": 1}, {"running": 3}]
)
def test_malformed_policies_are_refused(emulator: Running, order: Json) -> None:
    response = emulator.http.post("/_emulator/request-ids", json=order)
    assert response.status_code == 400
    assert response.json()["error"]
