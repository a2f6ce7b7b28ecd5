"""The door of the API: tokens, unknown routes, headers, batch, faults on order and the control plane."""

import re
import socket
import time
from decimal import Decimal

import pytest

from tests.emulator.running import Company, Json, Running, exact


def new_customer(name: str) -> Json:
    return {"DisplayName": name}


def count(company: Company) -> int:
    return int(company.query("select count(*) from Customer")["totalCount"])


def test_expired_token_answers_the_lower_case_body(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "tokens/expire")
    response = uk.call("GET", "customer/1")
    body = exact(response)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'
    assert isinstance(body.pop("time"), int)
    assert body == {
        "warnings": None,
        "intuitObject": None,
        "fault": {
            "error": [
                {
                    "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                    "detail": f"Token expired: {uk.tokens.access}",
                    "code": "3200",
                    "element": None,
                }
            ],
            "type": "AUTHENTICATION",
        },
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "status": None,
        "cdcresponse": [],
    }


def test_access_token_dies_after_an_hour(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "clock", {"jump_seconds": 3570})
    assert uk.call("GET", "preferences").status_code == 200
    emulator.control("POST", "clock", {"jump_seconds": 30})
    assert uk.call("GET", "preferences").status_code == 401


def test_token_of_another_company_is_3100(emulator: Running) -> None:
    first, second, _ = emulator.reset("uk-vat")
    company = emulator.company(first["realm_id"])
    response = emulator.http.get(
        f"/v3/company/{second['realm_id']}/preferences",
        headers={"Authorization": f"Bearer {company.tokens.access}", "Accept": "application/json"},
    )
    assert response.status_code == 403
    assert exact(response)["fault"]["error"][0]["code"] == "3100"


def test_every_answer_carries_a_tid(uk: Company, emulator: Running) -> None:
    answers = [
        uk.call("GET", "preferences"),
        uk.call("GET", "customer/x"),
        emulator.http.get("/"),
        emulator.http.get("/op/v1/jwks"),
        emulator.http.get("/v3/company/1/preferences"),
    ]
    tids = [each.headers["intuit_tid"] for each in answers]
    assert len(set(tids)) == len(tids)
    assert all(re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", each) for each in tids)


def test_content_types_and_times(uk: Company) -> None:
    good, bad = uk.call("GET", "preferences"), uk.call("GET", "customer/9999")
    assert good.headers["content-type"] == "application/json;charset=utf-8"
    assert bad.headers["content-type"] == "application/json"
    for response in (good, bad):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-0[78]:00", response.json()["time"])


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "customer/1/5", "500"),
        ("GET", "customer/1.5", "2030"),
        ("GET", "nonsense/1", "500"),
        ("GET", "bill/1", "500"),
        ("PUT", "customer", "500"),
        ("DELETE", "customer/1", "500"),
        ("GET", "customer", "500"),
        ("GET", "", "500"),
        ("POST", "invoice/1/send", "610"),
        ("GET", "cdc", "2020"),
        ("GET", "customer/99999999999999999999999", "2030"),
        ("POST", "customer", "2010"),
    ],
)
def test_unknown_and_uncovered_routes_are_faults(uk: Company, method: str, path: str, code: str) -> None:
    assert uk.fault(method, path)["code"] == code


def test_wrong_id_is_named_as_recorded(uk: Company) -> None:
    assert uk.fault("GET", "customer/1.5") == {
        "Message": "Invalid ID",
        "Detail": "Id should be a valid number. Supplied value:1.5",
        "code": "2030",
        "element": "Id",
    }


def test_xml_is_refused_loudly(uk: Company, emulator: Running) -> None:
    headers = {"Authorization": f"Bearer {uk.tokens.access}", "Accept": "application/xml"}
    response = emulator.http.get(f"/v3/company/{uk.realm}/preferences", headers=headers)
    assert response.status_code == 400
    assert "XML" in exact(response)["Fault"]["Error"][0]["Detail"]
    asked = emulator.http.get(f"/v3/company/{uk.realm}/preferences", params={"format": "json"}, headers=headers)
    assert asked.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"1e400",
        b'{"Id":{}}',
        b'{"DisplayName":"\\ud800"}',
        b"\xff\xfe",
        b'{"Line":' * 5000,
        b'{"DisplayName":"a","Line":[]}',
    ],
)
def test_malformed_bodies_are_faults(uk: Company, body: bytes) -> None:
    response = uk.call("POST", "customer", body)
    assert response.status_code == 400
    assert exact(response)["Fault"]["type"] == "ValidationFault"


def test_body_over_the_limit_is_413(uk: Company) -> None:
    assert uk.call("POST", "customer", b"x" * 2_000_001).status_code == 413


def test_numbers_stay_exact(uk: Company) -> None:
    line: Json = {
        "Amount": Decimal("1234567890.12"),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": uk.code("20.0% S")}},
    }
    customer = uk.query("select * from Customer")["Customer"][0]["Id"]
    body = {"CustomerRef": {"value": customer}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}
    assert uk.create("Invoice", body)["TotalAmt"] == Decimal("1481481468.14")
    line["Amount"] = Decimal(10**10)
    assert uk.fault("POST", "invoice", body)["code"] == "2090"


def test_batch_items_succeed_and_fail_alone(uk: Company) -> None:
    items = [
        {"bId": "c1", "operation": "create", "Customer": {"DisplayName": "Example Ltd"}},
        {"bId": "c2", "operation": "Create", "Customer": {"DisplayName": "Marlowe Interiors"}},
        {"bId": "q1", "Query": "select count(*) from Invoice"},
        {"bId": "x1", "operation": "create", "Bill": {}},
    ]
    response = uk.call("POST", "batch", {"BatchItemRequest": items}, requestid="b-1")
    answers = exact(response)["BatchItemResponse"]
    assert response.status_code == 200
    assert [each["bId"] for each in answers] == ["c1", "c2", "q1", "x1"]
    assert answers[0]["Customer"]["DisplayName"] == "Example Ltd"
    assert [answers[at]["Fault"]["Error"][0]["code"] for at in (1, 3)] == ["6240", "500"]
    assert answers[2]["QueryResponse"] == {"totalCount": 0}
    assert uk.call("POST", "batch", {"BatchItemRequest": items}, requestid="b-1").content == response.content
    assert uk.fault("POST", "batch", {"BatchItemRequest": items * 8})["code"] == "1040"


def test_batch_items_cannot_refer_to_each_other(uk: Company) -> None:
    ids = [int(each["Id"]) for name in ("Customer", "Vendor", "Employee") for each in uk.all(name)]
    guess = str(max(ids) + 1)
    line = {
        "Amount": 5,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": uk.code("0.0% Z")}},
    }
    items = [
        {"bId": "c", "operation": "create", "Customer": {"DisplayName": "Just made"}},
        {
            "bId": "i",
            "operation": "create",
            "Invoice": {"CustomerRef": {"value": guess}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]},
        },
    ]
    made, refused = exact(uk.call("POST", "batch", {"BatchItemRequest": items}))["BatchItemResponse"]
    assert made["Customer"]["Id"] == guess
    assert refused["Fault"]["Error"][0]["code"] == "2500"


def test_large_answers_are_compressed_on_request(uk: Company) -> None:
    response = uk.call("GET", "query", query="select * from Account")
    assert response.headers["content-encoding"] == "gzip"
    assert len(exact(response)["QueryResponse"]["Account"]) > 20


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br, gzip; q=0.0"])
def test_answers_are_not_compressed_unasked(us: Company, accepted: str) -> None:
    headers = {"Authorization": f"Bearer {us.tokens.access}", "Accept": "application/json", "Accept-Encoding": accepted}
    path = f"/v3/company/{us.realm}/query"
    response = us.running.http.get(path, params={"query": "select * from Account"}, headers=headers)
    assert len(response.content) > 8000
    assert "content-encoding" not in response.headers


def test_half_a_request_is_none(uk: Company, emulator: Running) -> None:
    before = count(uk)
    host, _, port = emulator.base.removeprefix("http://").partition(":")
    body = b'{"DisplayName": "Cut off"}'
    head = f"POST /v3/company/{uk.realm}/customer HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
    head += f"Authorization: Bearer {uk.tokens.access}\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(0.2)
    time.sleep(0.2)
    assert count(uk) == before


def test_one_more_company_is_opened_beside_the_others(emulator: Running) -> None:
    before = emulator.control("GET", "companies")["companies"]
    opened = emulator.control("POST", "companies", {"scenario": "au-gst"})
    assert opened["country"] == "AU"
    assert emulator.control("GET", "companies")["companies"] == [*before, opened]
    assert emulator.company(opened["realm_id"]).code("GST")


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ({"status": 500}, 500),
        ({"status": 503}, 503),
        ({"status": 429}, 429),
        ({"status": 403}, 403),
        ("expired_token", 401),
    ],
)
def test_ordered_statuses_do_no_work_and_end_with_their_count(
    uk: Company, emulator: Running, action: str | Json, status: int
) -> None:
    before = count(uk)
    order = emulator.control("POST", "faults", {"match": {"entity": "customer"}, "count": 1, "action": action})
    assert uk.call("POST", "customer", new_customer("Later")).status_code == status
    assert count(uk) == before
    uk.create("Customer", new_customer("Later"))
    [left] = emulator.control("GET", "faults")["faults"]
    assert (left["id"], left["struck"]) == (order["id"], 1)
    assert emulator.control("DELETE", "faults") == {"faults": []}


def test_throttle_has_the_recorded_text(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "faults", {"action": {"status": 429}, "count": 1})
    body = exact(uk.call("GET", "preferences"))
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


def test_seeded_probability_repeats(uk: Company, emulator: Running) -> None:
    runs = []
    for _ in range(2):
        emulator.control("DELETE", "faults")
        emulator.control("POST", "faults", {"probability": 50, "seed": 7, "action": {"status": 503}})
        runs.append([uk.call("GET", "preferences").status_code for _ in range(12)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"action": "explode"},
        {"action": {"status": 99}},
        {"action": "reset", "when": 1},
        {"action": "reset", "nth": "2"},
        {"action": "reset", "match": {"path": "("}},
        {"action": "reset", "every": 0},
        {"action": "reset", "probability": 101},
        {"action": {"execute_late": 0}},
        {"action": {"execute_late": {"seconds": 5, "connection": "kept"}}},
        {"action": {"execute_late": {"seconds": 5, "after": 1}}},
        {"action": {"cut_batch": 31}},
        {"action": {"late_answer_ms": "soon"}},
    ],
)
def test_malformed_orders_are_refused(emulator: Running, order: Json) -> None:
    response = emulator.http.post("/_emulator/faults", json=order)
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_control_plane_refuses_other_sites(emulator: Running, headers: dict[str, str]) -> None:
    realm = emulator.control("GET", "health")["companies"][0]["realm_id"]
    assert emulator.http.post("/_emulator/reset", json={}, headers=headers).status_code == 403
    assert emulator.control("GET", "health")["companies"][0]["realm_id"] == realm


def test_reset_gives_new_realms_unless_one_is_asked_for(emulator: Running) -> None:
    first = emulator.reset("uk-vat")
    second = emulator.reset("uk-vat")
    assert [each["name"] for each in second] == ["Harbour & Vale Ltd", "Saltmarsh Studios Ltd", "Bluebird Advisory LLC"]
    assert not {each["realm_id"] for each in first} & {each["realm_id"] for each in second}
    kept = emulator.control("POST", "reset", {"scenario": "us-sample", "realm_id": "123"})["companies"]
    assert (kept[0]["realm_id"], kept[0]["country"]) == ("123", "US")
    assert emulator.http.post("/_emulator/reset", json={"scenario": "nothing"}).status_code == 400


def test_disconnect_in_quickbooks_kills_the_tokens(uk: Company, emulator: Running) -> None:
    assert emulator.control("POST", "tokens/revoke", {"realm_id": uk.realm}) == {"disconnected": 1}
    assert uk.call("GET", "preferences").status_code == 401
    renewed = emulator.token({"grant_type": "refresh_token", "refresh_token": uk.tokens.refresh})
    assert exact(renewed)["error"] == "invalid_grant"


def test_dump_and_record_show_what_happened(uk: Company, emulator: Running) -> None:
    uk.create("Customer", new_customer("Seen"), requestid="s-1")
    dump = emulator.control("GET", f"dump?realm_id={uk.realm}")["companies"]
    assert [each["realm_id"] for each in dump] == [uk.realm]
    assert "Seen" in {each["DisplayName"] for each in dump[0]["entities"]["Customer"]}
    [seen] = [
        each
        for each in emulator.control("GET", "requests?method=POST")["requests"]
        if each["path"].endswith("/customer")
    ]
    assert (seen["body"], seen["requestid"], seen["status"], seen["query"]) == (
        {"DisplayName": "Seen"},
        "s-1",
        200,
        {"requestid": "s-1"},
    )


def test_bookkeeper_edits_pays_and_is_refused(uk: Company, emulator: Running) -> None:
    customer = uk.query("select * from Customer")["Customer"][0]
    act = {"realm_id": uk.realm, "entity": "Customer", "id": customer["Id"]}
    edited = emulator.control("POST", "act", {**act, "action": "update", "fields": {"Notes": "called"}})["record"]
    assert (edited["Notes"], edited["SyncToken"]) == ("called", "1")
    stale = uk.fault("POST", "customer", {"Id": customer["Id"], "SyncToken": "0", "sparse": True, "Notes": "mine"})
    assert stale["code"] == "5010"
    refused = emulator.http.post("/_emulator/act", json={**act, "action": "explode"})
    assert refused.status_code == 400


def test_coverage_marks_every_behavior(emulator: Running) -> None:
    rules = emulator.control("GET", "coverage")["rules"]
    assert len(rules) > 60
    assert {each["mark"] for each in rules} == {
        "recording",
        "document",
        "third-party report",
        "assumption",
        "not covered",
    }
    assert all(each["says"] for each in rules)


def test_hostile_words_to_the_control_plane_are_refused(emulator: Running) -> None:
    for since in ("²", "1" * 30, "-1", "a"):
        assert emulator.http.get("/_emulator/requests", params={"since": since}).status_code == 400
    answer = emulator.http.post("/_emulator/lifetimes", json={"code_seconds": 10**30})
    assert answer.status_code == 400


def test_clock_stands_still_before_dates_break(emulator: Running) -> None:
    for _ in range(5):
        emulator.control("POST", "clock", {"jump_seconds": 10**9})
    assert emulator.control("GET", "clock")["now"].startswith("2099-12-31")
    assert emulator.http.get("/").status_code == 200
