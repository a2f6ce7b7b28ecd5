"""Webhooks as an endpoint receives them: bodies, signature, retries on the fast clock, and roads that behave badly."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from quickbooks import QuickBooks

from qbo_emulator.store import Row
from qbo_emulator.webhooks.events import as_cloud_events, as_legacy, find_events
from tests.emulator.running import Company, Json, Running

VERIFIER = "verify-me"


@dataclass
class Endpoint:
    """An app's endpoint: what came in, and what it answers."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    milliseconds: int = 0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int) -> list[Any]:
        """The bodies once so many have come in."""
        deadline = time.monotonic() + 8
        while len(self.received) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.received) >= count, f"{len(self.received)} of {count} notifications came in"
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(({key.lower(): value for key, value in self.headers.items()}, body))
            time.sleep(found.milliseconds / 1000)
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/hooks?from=qbo"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def subscribe(uk: Company, emulator: Running, endpoint: Endpoint) -> Iterator[Callable[..., Json]]:
    def order(**parts: Any) -> Json:
        return emulator.control("POST", "webhooks", {"url": endpoint.url, "verifier_token": VERIFIER, **parts})

    yield order
    emulator.control("DELETE", "webhooks")


def customer(company: Company, name: str) -> Json:
    return company.create("Customer", {"DisplayName": name})


def invoice(company: Company) -> Json:
    line = {
        "Amount": 5,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": company.code("0.0% Z")}},
    }
    buyer = {"value": company.all("Customer")[0]["Id"]}
    return company.create("Invoice", {"CustomerRef": buyer, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]})


def deliveries(emulator: Running) -> list[Json]:
    found: list[Json] = emulator.control("GET", "webhooks")["deliveries"]
    return found


def test_cloud_events_are_signed(uk: Company, endpoint: Endpoint, subscribe: Callable[..., Json]) -> None:
    subscribe()
    made = customer(uk, "Told")
    [[event]] = endpoint.wait(1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", event.pop("time"))
    assert re.fullmatch(r"[0-9a-f-]{36}", event.pop("id"))
    assert re.fullmatch(r"intuit\..+=", event.pop("source"))
    assert event == {
        "specversion": "1.0",
        "type": "qbo.customer.created.v1",
        "datacontenttype": "application/json",
        "intuitentityid": made["Id"],
        "intuitaccountid": uk.realm,
        "data": {},
    }
    headers, body = endpoint.received[0]
    expected = base64.b64encode(hmac.new(VERIFIER.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["intuit-signature"] == expected
    assert headers["content-type"] == "application/json"


def test_python_quickbooks_accepts_the_signature(
    uk: Company, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    subscribe(format="legacy")
    customer(uk, "Checked")
    endpoint.wait(1)
    headers, body = endpoint.received[0]
    client = QuickBooks(verifier_token=VERIFIER, minorversion=75)
    assert client.validate_webhook_signature(body.decode(), headers["intuit-signature"]) is True
    assert client.validate_webhook_signature(body.decode() + " ", headers["intuit-signature"]) is False


def test_legacy_body_with_each_operation(
    uk: Company, emulator: Running, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    subscribe(format="legacy", hold_back=True)
    first, second = customer(uk, "One"), customer(uk, "Two")
    changed = uk.create("Customer", {"Id": first["Id"], "SyncToken": "0", "sparse": True, "Notes": "n"})
    gone, voided = invoice(uk), invoice(uk)
    uk.create("Invoice", {"Id": gone["Id"], "SyncToken": "0"}, operation="delete")
    uk.create("Invoice", {"Id": voided["Id"], "SyncToken": "0"}, operation="void")
    found = []
    for body in endpoint.wait(7):
        [notification] = body["eventNotifications"]
        assert notification["realmId"] == uk.realm
        for entry in notification["dataChangeEvent"]["entities"]:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("lastUpdated"))
            found.append(entry)
    assert found == [
        {"name": "Customer", "id": first["Id"], "operation": "Create"},
        {"name": "Customer", "id": second["Id"], "operation": "Create"},
        {"name": "Customer", "id": changed["Id"], "operation": "Update"},
        {"name": "Invoice", "id": gone["Id"], "operation": "Create"},
        {"name": "Invoice", "id": voided["Id"], "operation": "Create"},
        {"name": "Invoice", "id": gone["Id"], "operation": "Delete"},
        {"name": "Invoice", "id": voided["Id"], "operation": "Void"},
    ]


def test_merge_names_the_record_that_is_gone() -> None:
    stub = {"domain": "QBO", "status": "Deleted", "Id": "61", "mergedInto": "60"}
    [event] = find_events("123", [Row("Customer", "61", stub, "2026-05-05T02:08:55-07:00")], {}, 10**18)
    assert (event.operation, event.number, event.deleted_id) == ("Merge", "60", "61")
    [entity] = json.loads(as_legacy([event]))["eventNotifications"][0]["dataChangeEvent"]["entities"]
    assert entity == {
        "name": "Customer",
        "id": "60",
        "operation": "Merge",
        "lastUpdated": "2001-09-09T01:46:40.000Z",
        "deletedId": "61",
    }
    [told] = json.loads(as_cloud_events([event], "app"))
    assert (told["type"], told["intuitentityid"]) == ("qbo.customer.merged.v1", "60")


def test_merge_by_the_bookkeeper_is_told(
    uk: Company, emulator: Running, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    first, second = customer(uk, "Kept"), customer(uk, "Gone")
    subscribe(format="legacy", entities={"Customer": ["Merge"]})
    act = {"realm_id": uk.realm, "action": "merge", "entity": "Customer", "id": second["Id"]}
    emulator.control("POST", "act", {**act, "fields": {"into": first["Id"]}})
    [body] = endpoint.wait(1)
    [entity] = body["eventNotifications"][0]["dataChangeEvent"]["entities"]
    assert (entity["id"], entity["operation"], entity["deletedId"]) == (first["Id"], "Merge", second["Id"])
    assert uk.fault("GET", f"customer/{second['Id']}")["code"] == "610"


def test_sending_a_mail_is_emailed_and_not_an_update() -> None:
    before = {"Invoice": {"9": {"Id": "9", "EmailStatus": "NotSet", "TotalAmt": 5}}}
    sent = {"Id": "9", "EmailStatus": "EmailSent", "DeliveryInfo": {"DeliveryType": "Email"}, "TotalAmt": 5}
    [event] = find_events("123", [Row("Invoice", "9", sent)], before, 10**18)
    assert event.operation == "Emailed"


def test_side_effects_are_updates_in_the_same_notification(
    uk: Company, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    record = invoice(uk)
    subscribe()
    link = {"Amount": 5, "LinkedTxn": [{"TxnId": record["Id"], "TxnType": "Invoice"}]}
    uk.create("Payment", {"CustomerRef": record["CustomerRef"], "TotalAmt": 5, "Line": [link]})
    [events] = endpoint.wait(1)
    assert sorted(each["type"] for each in events) == ["qbo.invoice.updated.v1", "qbo.payment.created.v1"]


def test_only_what_was_chosen_is_told(
    uk: Company, emulator: Running, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    subscribe(entities={"Customer": ["Update"], "Invoice": []})
    made = customer(uk, "Quiet")
    uk.create("Vendor", {"DisplayName": "Quiet too"})
    invoice(uk)
    uk.create("Customer", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Notes": "loud"})
    endpoint.wait(2)
    assert [each["events"] for each in deliveries(emulator)][1] == [f"Customer {made['Id']} Update"]
    assert len(deliveries(emulator)) == 2


def test_companies_that_are_not_connected_tell_nothing(
    uk: Company, emulator: Running, subscribe: Callable[..., Json]
) -> None:
    subscribe()
    other = emulator.control("GET", "companies")["companies"][1]["realm_id"]
    act = {"action": "create", "entity": "Customer", "fields": {"DisplayName": "By hand"}}
    emulator.control("POST", "act", {**act, "realm_id": other})
    assert deliveries(emulator) == []
    emulator.control("POST", "act", {**act, "realm_id": uk.realm})
    assert len(deliveries(emulator)) == 1


def test_ladder_of_retries_on_the_emulators_clock(
    uk: Company, emulator: Running, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    steps = [10, 20, 30, 300, 1200, 7200, 14_400, 21_600, 21_600]
    endpoint.statuses = [500] * len(steps)
    subscribe()
    customer(uk, "Persistent")
    for done, step in enumerate(steps, start=1):
        endpoint.wait(done)
        _until(lambda count=done: _attempts(emulator) == count)  # type: ignore[misc]  # a lambda's default has no type to infer
        emulator.control("POST", "clock", {"jump_seconds": step - 2})
        time.sleep(0.03)
        assert len(endpoint.received) == done
        emulator.control("POST", "clock", {"jump_seconds": 2})
    endpoint.wait(len(steps) + 1)
    _until(lambda: deliveries(emulator)[0]["state"] == "delivered")
    assert len({body for _, body in endpoint.received}) == 1
    assert [each["status"] for each in deliveries(emulator)[0]["attempts"]] == [500] * len(steps) + [200]


def _attempts(emulator: Running) -> int:
    return len(deliveries(emulator)[0]["attempts"])


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_slow_endpoint_is_a_failure_and_a_fast_clock_retries_soon(
    uk: Company, emulator: Running, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    endpoint.milliseconds = 1000
    assert subscribe()["timeout_ms"] == 3000
    subscribe(timeout_ms=100)
    customer(uk, "Patient")
    _until(lambda: len(deliveries(emulator)[0]["attempts"]) == 1)
    assert deliveries(emulator)[0]["attempts"][0]["error"] == "no answer within 100 ms"
    endpoint.milliseconds = 0
    emulator.control("POST", "clock", {"speed": 100})
    endpoint.wait(2)


def test_later_notifications_can_wait_for_the_first(
    uk: Company, emulator: Running, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    endpoint.statuses = [500]
    subscribe(hold_back=True)
    first, second = customer(uk, "First"), customer(uk, "Second")
    _until(lambda: len(deliveries(emulator)[0]["attempts"]) == 1)
    assert [len(each["attempts"]) for each in deliveries(emulator)] == [1, 0]
    emulator.control("POST", "clock", {"jump_seconds": 10})
    bodies = endpoint.wait(3)
    assert [body[0]["intuitentityid"] for body in bodies] == [first["Id"], first["Id"], second["Id"]]


def test_duplicates_delay_and_reordering(
    uk: Company, emulator: Running, endpoint: Endpoint, subscribe: Callable[..., Json]
) -> None:
    subscribe(duplicates_percent=100, delay_seconds=60, reorder_seconds=600, seed=3)
    made = [customer(uk, f"Shuffled {at}")["Id"] for at in range(6)]
    assert [each["is_duplicate"] for each in deliveries(emulator)] == [False, True] * 6
    emulator.control("POST", "clock", {"jump_seconds": 55})
    assert endpoint.received == []
    for _ in range(61):
        emulator.control("POST", "clock", {"jump_seconds": 10})
    bodies = endpoint.wait(12)
    order = [body[0]["intuitentityid"] for body in bodies]
    assert sorted(order) == sorted(made * 2)
    assert order != sorted(order)
    assert len({body[0]["id"] for body in bodies}) == 6


def test_unreachable_endpoints_are_recorded(uk: Company, emulator: Running, subscribe: Callable[..., Json]) -> None:
    subscribe(url="http://127.0.0.1:1/nobody")
    lost = customer(uk, "Lost")
    _until(lambda: len(deliveries(emulator)[0]["attempts"]) == 1)
    [delivery] = deliveries(emulator)
    assert (delivery["state"], delivery["attempts"][0]["status"]) == ("waiting", 0)
    assert delivery["attempts"][0]["error"] == "connection refused"
    page = emulator.http.get(f"/app/webhooks?realmId={uk.realm}").text
    assert f"Customer {lost['Id']} Create" in page
    assert "Waiting" in page


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"url": "ftp://x"},
        {"url": "http://[::1"},
        {"url": "http://x\r\ny"},
        {"format": "xml"},
        {"entities": ["TaxCode"]},
        {"entities": {"Invoice": ["Explode"]}},
        {"duplicates_percent": 101},
        {"delay_seconds": "1"},
        {"loud": True},
    ],
)
def test_malformed_subscriptions_are_refused(emulator: Running, order: Json) -> None:
    emulator.control("DELETE", "webhooks")
    whole = order if not order or "url" in order else {"url": "http://127.0.0.1:1/", **order}
    response = emulator.http.post("/_emulator/webhooks", json=whole)
    assert response.status_code == 400
    assert response.json()["error"]
    assert emulator.control("GET", "webhooks")["subscriptions"] == []
