"""Faults on order that leave the client in doubt: what was done, and what a repeat does; single writes and batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.emulator.running import Company, Json, Running, exact

Write = Callable[..., httpx.Response]
NAMES = ("Ada", "Bea", "Cleo")


@pytest.fixture(params=["customer", "batch"])
def entity(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def write(uk: Company, entity: str) -> Write:
    """Create the customer Ada, alone or with two more in a batch."""

    def send(request_id: str = "r-1") -> httpx.Response:
        items = [{"bId": name, "operation": "create", "Customer": {"DisplayName": name}} for name in NAMES]
        body: Json = items[0]["Customer"] if entity == "customer" else {"BatchItemRequest": items}  # type: ignore[assignment]
        return uk.call("POST", entity, body, requestid=request_id)

    return send


def made(company: Company) -> list[str]:
    rows = company.query("select DisplayName from Customer maxresults 1000")["Customer"]
    return sorted(each["DisplayName"] for each in rows if each["DisplayName"] in NAMES)


def order(emulator: Running, entity: str, action: str | Json, **when: int) -> None:
    emulator.control("POST", "faults", {"match": {"entity": entity}, "action": action, **({"count": 1} | when)})


def names(entity: str) -> list[str]:
    return ["Ada"] if entity == "customer" else sorted(NAMES)


def record(emulator: Running, entity: str) -> Json:
    """How the first request to the entity went."""
    found: Json = emulator.control("GET", f"requests?path=/{entity}")["requests"][0]
    return found


def wait_for_late(emulator: Running) -> None:
    until = time.monotonic() + 10
    while emulator.control("GET", "faults")["late"]:
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("action", "is_done"),
    [("drop_after", True), ("reset_after", True), ("half_body", True), ("drop_before", False), ("reset", False)],
)
def test_lost_connection_and_the_repeat(
    uk: Company, emulator: Running, entity: str, write: Write, action: str, *, is_done: bool
) -> None:
    order(emulator, entity, action)
    with pytest.raises(httpx.TransportError):
        write()
    assert made(uk) == (names(entity) if is_done else [])
    seen = record(emulator, entity)
    assert (seen["injected"], seen["status"], seen["result"]) == (action, 0, 200 if is_done else 0)
    assert write().status_code == 200
    assert made(uk) == names(entity)


@pytest.mark.parametrize(("action", "is_done"), [("hang_before", False), ("hang_after", True)])
def test_silence_until_the_client_gives_up(
    uk: Company, emulator: Running, entity: str, write: Write, action: str, *, is_done: bool
) -> None:
    order(emulator, entity, action)
    emulator.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.ReadTimeout):
        write()
    emulator.http.timeout = httpx.Timeout(10)
    assert made(uk) == (names(entity) if is_done else [])


def test_late_answer_comes_after_the_work(uk: Company, emulator: Running, entity: str, write: Write) -> None:
    order(emulator, entity, {"late_answer_ms": 1500})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(write)
        until = time.monotonic() + 1.4
        while made(uk) != names(entity):
            assert time.monotonic() < until
        assert not answer.done()
        assert answer.result().status_code == 200


@pytest.mark.parametrize("status", [429, 502, 504])
def test_error_status_after_the_work(uk: Company, emulator: Running, entity: str, write: Write, status: int) -> None:
    order(emulator, entity, {"status_after": status})
    assert write().status_code == status
    assert made(uk) == names(entity)
    assert record(emulator, entity)["result"] == 200
    assert write().status_code == 200
    assert made(uk) == names(entity)


@pytest.mark.parametrize("connection", ["dropped", "silent"])
def test_write_is_executed_long_after_the_client_has_gone(
    uk: Company, emulator: Running, entity: str, write: Write, connection: str
) -> None:
    order(emulator, entity, {"execute_late": {"seconds": 60, "connection": connection}})
    emulator.http.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.TransportError):
        write()
    emulator.http.timeout = httpx.Timeout(10)
    [late] = emulator.control("GET", "faults")["late"]
    assert (late["path"], late["seconds"]) == (f"/v3/company/{uk.realm}/{entity}", 60)
    assert made(uk) == []
    emulator.control("POST", "clock", {"jump_seconds": 30})
    assert made(uk) == []
    emulator.control("POST", "clock", {"jump_seconds": 40})
    wait_for_late(emulator)
    assert made(uk) == names(entity)
    seen = record(emulator, entity)
    assert (seen["status"], seen["result"]) == (0, 200)
    assert seen["executed_at"] > seen["at"]
    assert write().status_code == 200
    assert made(uk) == names(entity)


def test_client_that_waits_gets_the_late_answer(uk: Company, emulator: Running, entity: str, write: Write) -> None:
    order(emulator, entity, {"execute_late": {"seconds": 100, "connection": "answered"}})
    emulator.control("POST", "clock", {"speed": 100})
    assert write().status_code == 200
    assert made(uk) == names(entity)


@pytest.mark.parametrize("running", ["waits", "executes"])
def test_repeat_before_the_late_execution(uk: Company, emulator: Running, running: str) -> None:
    emulator.control("POST", "request-ids", {"running": running})
    order(emulator, "payment", {"execute_late": 60})
    body = {"CustomerRef": {"value": uk.all("Customer")[0]["Id"]}, "TotalAmt": 5}
    with pytest.raises(httpx.TransportError):
        uk.call("POST", "payment", body, requestid="p-1")
    with ThreadPoolExecutor(1) as pool:
        repeat = pool.submit(uk.call, "POST", "payment", body, requestid="p-1")
        if running == "waits":
            time.sleep(0.3)
            assert not repeat.done()
            emulator.control("POST", "clock", {"jump_seconds": 61})
        assert repeat.result().status_code == 200
    emulator.control("POST", "clock", {"jump_seconds": 61})
    wait_for_late(emulator)
    assert uk.query("select count(*) from Payment") == {"totalCount": 1 if running == "waits" else 2}


def test_reset_gives_up_what_was_to_be_executed_late(uk: Company, emulator: Running) -> None:
    order(emulator, "customer", {"execute_late": 3600})
    with pytest.raises(httpx.TransportError):
        uk.call("POST", "customer", {"DisplayName": "Ada"})
    order(emulator, "item", {"latency_ms": 700})
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(uk.call, "POST", "item", {"Name": "Slow"})
        time.sleep(0.2)
        emulator.reset("uk-vat")
        assert emulator.control("GET", "faults") == {"faults": [], "late": []}
        assert slow.result().status_code == 403


@pytest.mark.parametrize("done", [0, 2])
def test_batch_that_dies_in_its_midst_is_finished_by_the_repeat(uk: Company, emulator: Running, done: int) -> None:
    items = [{"bId": name, "operation": "create", "Customer": {"DisplayName": name}} for name in NAMES]
    order(emulator, "batch", {"cut_batch": done})
    with pytest.raises(httpx.TransportError):
        uk.call("POST", "batch", {"BatchItemRequest": items}, requestid="b-1")
    assert made(uk) == sorted(NAMES[:done])
    answer = exact(uk.call("POST", "batch", {"BatchItemRequest": items}, requestid="b-1"))
    assert [each["Customer"]["DisplayName"] for each in answer["BatchItemResponse"]] == list(NAMES)
    assert made(uk) == sorted(NAMES)


def test_every_nth_request_is_hit(uk: Company, emulator: Running) -> None:
    order(emulator, "preferences", {"status": 503}, every=3, count=2)
    statuses = [uk.call("GET", "preferences").status_code for _ in range(10)]
    assert statuses == [200, 200, 503, 200, 200, 503, 200, 200, 200, 200]


def test_dump_has_what_was_deleted_and_can_be_narrowed(uk: Company, emulator: Running) -> None:
    customer = uk.create("Customer", {"DisplayName": "Ada"})["Id"]
    paid = uk.create("Payment", {"CustomerRef": {"value": customer}, "TotalAmt": 5, "PaymentRefNum": "gone"})
    uk.create("Payment", {"Id": paid["Id"], "SyncToken": "0"}, operation="delete")
    [books] = emulator.control("GET", f"dump?realm_id={uk.realm}&entities=Payment,Invoice")["companies"]
    assert sorted(books["entities"]) == ["Invoice", "Payment"]
    [gone] = books["deleted"]
    assert (gone["entity"], gone["id"], gone["was"]["PaymentRefNum"]) == ("Payment", paid["Id"], "gone")
    [stored] = emulator.control("GET", f"dump?realm_id={uk.realm}&form=stored&entities=Customer")["companies"]
    assert "Ada" in {each["DisplayName"] for each in stored["entities"]["Customer"]}
    for wrong in ("entities=Nothing", "form=xml", "entities="):
        assert emulator.http.get(f"/_emulator/dump?{wrong}").status_code == 400


def test_fault_in_words_of_ones_own_refuses_and_nothing_is_done(
    uk: Company, emulator: Running, entity: str, write: Write
) -> None:
    fault = {"code": "7777", "message": "New Rule", "detail": "New Rule : Ask your accountant.", "element": "Line"}
    order(emulator, entity, {"fault": fault})
    refused = write()
    assert (refused.status_code, exact(refused)["Fault"]) == (
        400,
        {
            "Error": [
                {"Message": "New Rule", "Detail": "New Rule : Ask your accountant.", "code": "7777", "element": "Line"}
            ],
            "type": "ValidationFault",
        },
    )
    assert made(uk) == []
    assert (record(emulator, entity)["injected"], record(emulator, entity)["result"]) == ("fault", 400)
    assert write().status_code == 200


@pytest.mark.parametrize(
    "fault", ["no", {"code": "1"}, {"code": "1", "message": "m", "status": 200}, {"code": "1", "message": "m", "x": 1}]
)
def test_fault_that_says_too_little_is_no_order(emulator: Running, fault: object) -> None:
    answer = emulator.http.post("/_emulator/faults", json={"action": {"fault": fault}})
    assert answer.status_code == 400
    assert "fault" in answer.json()["error"]
    assert emulator.control("GET", "faults")["faults"] == []
