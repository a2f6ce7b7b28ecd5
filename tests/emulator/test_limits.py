"""How many requests pass, what a refusal looks like, and what is metered."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.emulator.running import Company, Json, Running, exact, open_client, start, stop

SLOW = {"match": {"entity": "preferences"}, "action": {"latency_ms": 400}}


@pytest.fixture
def limited(uk: Company, emulator: Running) -> Iterator[Company]:
    """A company under a limit of nothing but what a test sets."""
    off = ("requests_per_minute", "requests_per_second", "requests_at_once", "batches_per_minute")
    emulator.control("POST", "limits", {"enabled": True, "company_batches_per_minute": None, **dict.fromkeys(off)})
    yield uk
    emulator.control("DELETE", "faults")


def statuses(company: Company, count: int) -> list[int]:
    return [company.call("GET", "preferences").status_code for _ in range(count)]


def test_limits_are_those_of_the_documents_unless_switched_off() -> None:
    process, base = start("--no-limits")
    with open_client(base) as http:
        emulator = Running(base, http)
        assert emulator.control("GET", "limits")["enabled"] is False
        company = emulator.company(emulator.control("GET", "health")["companies"][0]["realm_id"])
        changed = emulator.control("POST", "limits", {"enabled": True})
        assert changed == {
            "enabled": True,
            "requests_per_minute": 500,
            "requests_per_second": 10,
            "requests_at_once": 10,
            "batches_per_minute": 40,
            "company_batches_per_minute": 120,
            "core_plus_per_month": None,
            "retry_after_seconds": None,
        }
        assert statuses(company, 11) == [200] * 10 + [429]
    assert stop(process) == 0


def test_refusal_has_the_recorded_text_and_no_retry_after(limited: Company, emulator: Running) -> None:
    emulator.control("POST", "limits", {"requests_per_minute": 0})
    refused = limited.call("POST", "customer", {"DisplayName": "Never"})
    body = exact(refused)
    assert refused.status_code == 429
    assert body["Fault"] == {
        "Error": [
            {
                "Message": "message=ThrottleExceeded; errorCode=003001; statusCode=429",
                "Detail": "The request limit was reached.  Try again later",
                "code": "3001",
            }
        ],
        "type": "SERVICE",
    }
    assert set(body) == {"Fault", "time"}
    assert "retry-after" not in refused.headers
    assert refused.headers["intuit_tid"]
    emulator.control("POST", "limits", {"retry_after_seconds": 60})
    assert limited.call("GET", "preferences").headers["retry-after"] == "60"
    emulator.control("POST", "limits", {"enabled": False})
    assert limited.query("select count(*) from Customer where DisplayName = 'Never'") == {"totalCount": 0}


def test_second_and_minute_pass_on_the_emulators_clock(limited: Company, emulator: Running) -> None:
    emulator.control("POST", "limits", {"requests_per_second": 3, "requests_per_minute": 5})
    assert statuses(limited, 4) == [200, 200, 200, 429]
    emulator.control("POST", "clock", {"jump_seconds": 1})
    assert statuses(limited, 3) == [200, 200, 429]
    emulator.control("POST", "clock", {"jump_seconds": 1})
    assert statuses(limited, 1) == [429]
    emulator.control("POST", "clock", {"jump_seconds": 60})
    assert statuses(limited, 1) == [200]


def test_faster_clock_makes_windows_shorter(limited: Company, emulator: Running) -> None:
    emulator.control("POST", "limits", {"requests_per_minute": 1})
    assert statuses(limited, 2) == [200, 429]
    assert emulator.control("POST", "clock", {"speed": 100_000})["speed"] == 100_000
    assert statuses(limited, 2)[-1] in {200, 401}


def test_minute_counts_for_the_company_and_second_for_its_apps(limited: Company, emulator: Running) -> None:
    emulator.control("POST", "limits", {"requests_per_second": 1})
    other = emulator.company(emulator.control("GET", "companies")["companies"][1]["realm_id"])
    assert statuses(limited, 2) == [200, 429]
    assert statuses(other, 2) == [200, 429]


def test_batches_have_limits_of_their_own(limited: Company, emulator: Running) -> None:
    emulator.control("POST", "limits", {"batches_per_minute": 2})
    batch = {"BatchItemRequest": [{"bId": "1", "Query": "select count(*) from Customer"}]}
    assert [limited.call("POST", "batch", batch).status_code for _ in range(3)] == [200, 200, 429]
    assert statuses(limited, 1) == [200]
    emulator.control("POST", "limits", {"batches_per_minute": None, "company_batches_per_minute": 3})
    assert [limited.call("POST", "batch", batch).status_code for _ in range(2)] == [200, 429]


def test_only_so_many_requests_run_at_once(limited: Company, emulator: Running) -> None:
    emulator.control("POST", "limits", {"requests_at_once": 2})
    emulator.control("POST", "faults", SLOW)
    with ThreadPoolExecutor(4) as pool:
        found = sorted(pool.map(lambda _: limited.call("GET", "preferences").status_code, range(4)))
    assert found == [200, 200, 429, 429]
    assert statuses(limited, 1) == [200]


def test_token_and_rights_are_looked_at_before_limits_and_limits_before_faults(
    limited: Company, emulator: Running
) -> None:
    emulator.control("POST", "limits", {"requests_per_minute": 0})
    emulator.control("POST", "faults", {"action": {"status": 503}})
    path = f"/v3/company/{limited.realm}/customer/nonsense"
    assert emulator.http.get(path).status_code == 401
    other = emulator.control("GET", "companies")["companies"][1]["realm_id"]
    bearer = {"Authorization": f"Bearer {limited.tokens.access}", "Accept": "application/json"}
    assert emulator.http.get(f"/v3/company/{other}/preferences", headers=bearer).status_code == 403
    assert emulator.http.get(path, headers=bearer).status_code == 429
    [order] = emulator.control("GET", "faults")["faults"]
    assert order["seen"] == 0
    emulator.control("POST", "limits", {"enabled": False})
    assert emulator.http.get(path, headers=bearer).status_code == 503
    emulator.control("DELETE", "faults")
    assert emulator.http.get(path, headers=bearer).status_code == 400


def test_metering_tells_reads_from_writes_and_counts_successes_only(uk: Company, emulator: Running) -> None:
    uk.create("Customer", {"DisplayName": "Metered"})
    uk.fault("POST", "customer", {"DisplayName": "Metered"})
    uk.fault("GET", "customer/999999")
    uk.query("select count(*) from Customer")
    uk.call("POST", "batch", {"BatchItemRequest": [{"bId": "1", "Query": "select count(*) from Customer"}]})
    uk.call("GET", "cdc", entities="Customer", changedSince="2020-01-01")
    month = exact(uk.call("GET", "preferences"))["time"][:7]
    assert emulator.control("GET", "metering") == {
        "companies": [{"realm_id": uk.realm, "month": month, "core": 1, "core_plus": 4}]
    }


def test_monthly_quota_blocks_reads_and_lets_writes_pass(limited: Company, emulator: Running) -> None:
    emulator.control("POST", "limits", {"core_plus_per_month": 1})
    assert statuses(limited, 2) == [200, 429]
    assert limited.create("Customer", {"DisplayName": "Still written"})["Id"]


@pytest.mark.parametrize(
    "order", [{"requests": 1}, {"requests_per_minute": -1}, {"requests_per_second": "9"}, {"enabled": 1}]
)
def test_malformed_limits_are_refused(emulator: Running, order: Json) -> None:
    response = emulator.http.post("/_emulator/limits", json=order)
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize("order", [{}, {"speed": 0}, {"speed": "2"}, {"jump_seconds": -1}, {"stop": True}])
def test_malformed_clock_orders_are_refused(emulator: Running, order: Json) -> None:
    assert emulator.http.post("/_emulator/clock", json=order).status_code == 400


def test_bodies_over_the_limit_are_413_and_do_no_work(uk: Company) -> None:
    huge = b'{"DisplayName": "' + b"x" * 50_000_000 + b'"}'
    response = uk.call("POST", "customer", huge)
    assert response.status_code == 413
    assert exact(response)["Fault"]["Error"][0]["code"] == "500"


def test_compressed_bodies_are_read_within_the_limit(uk: Company, emulator: Running) -> None:
    headers = {
        "Authorization": f"Bearer {uk.tokens.access}",
        "Accept": "application/json",
        "Content-Encoding": "gzip",
    }
    path = f"/v3/company/{uk.realm}/customer"
    packed = gzip.compress(json.dumps({"DisplayName": "Packed"}).encode())
    assert emulator.http.post(path, content=packed, headers=headers).json()["Customer"]["DisplayName"] == "Packed"
    assert emulator.http.post(path, content=gzip.compress(b" " * 200_000_000, 1), headers=headers).status_code == 413
    assert emulator.http.post(path, content=b"\x1f\x8bbroken", headers=headers).status_code == 400
