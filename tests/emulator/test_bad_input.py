"""Malformed requests of every kind are refused as documented: never by a failure of the emulator's own."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.running import Company, Json, Running, exact, open_client, start, stop

EXAMPLES = 120
TEXT = st.text(max_size=12)
# No lone surrogates: they can't be sent.
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([b"1e400", b"-0", b"1e-400", b"99999999999999999.999"]).map(msgspec.Raw),
    st.sampled_from(
        ["", "0", "1", "-1", "1.5", "2026-02-30", "9999-12-31", "0001-01-01", "x" * 5000, "\x00", "😀", "NaN"]
    ),
    TEXT,
)
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
ENTITIES = ("Invoice", "Customer", "Payment", "Item", "CreditMemo", "SalesReceipt", "Estimate", "Deposit", "Account")
RESOURCES = (
    *(each.lower() for each in ENTITIES),
    "preferences",
    "term",
    "exchangerate",
    "taxservice/taxcode",
    "nonsense",
)
SALE: Json = {
    "CustomerRef": {"value": "1"},
    "TxnDate": "2026-11-20",
    "DueDate": "2026-12-20",
    "DocNumber": "F-1",
    "GlobalTaxCalculation": "TaxExcluded",
    "BillAddr": {"Line1": "1 High Street"},
    "BillEmail": {"Address": "a@example.com"},
    "CurrencyRef": {"value": "USD"},
    "ExchangeRate": 1,
    "Deposit": 0,
    "TxnTaxDetail": {
        "TxnTaxCodeRef": {"value": "2"},
        "TotalTax": 1,
        "TaxLine": [
            {
                "Amount": 1,
                "DetailType": "TaxLineDetail",
                "TaxLineDetail": {"TaxRateRef": {"value": "3"}, "TaxPercent": 8},
            }
        ],
    },
    "Line": [
        {
            "Id": "1",
            "Amount": 10,
            "Description": "work",
            "DetailType": "SalesItemLineDetail",
            "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}],
            "SalesItemLineDetail": {
                "ItemRef": {"value": "1"},
                "Qty": 1,
                "UnitPrice": 10,
                "TaxCodeRef": {"value": "NON"},
            },
        },
        {
            "Amount": 1,
            "DetailType": "DiscountLineDetail",
            "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
        },
    ],
}
NAMES: Json = {
    "DisplayName": "Fuzz",
    "Name": "Fuzz",
    "Type": "Service",
    "IncomeAccountRef": {"value": "1"},
    "AccountType": "Income",
    "UnitPrice": 1,
    "ParentRef": {"value": "1"},
    "PrimaryEmailAddr": {"Address": "a@example.com"},
    "BillAddr": {"Line1": "1"},
    "Active": True,
    "SalesFormsPrefs": {"CustomTxnNumbers": True},
    "DueDays": 1,
    "TotalAmt": 5,
    "TaxCode": "T",
    "TaxRateDetails": [{"TaxRateName": "R", "RateValue": "1", "TaxAgencyId": "1", "TaxApplicableOn": "Sales"}],
    "SourceCurrencyCode": "EUR",
    "AsOfDate": "2026-11-20",
    "Rate": 1,
}


def _spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a body that can be spoiled."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(spot for key, each in inner for spot in _spots(each, (*path, key)))]


def _spoiled(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _spoiled(value[path[0]], path[1:], junk)
    return copy


@st.composite
def _bodies(draw: Callable[..., Any]) -> bytes:
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return bytes(draw(st.binary(max_size=20)))
    body: Any = draw(st.sampled_from([SALE, NAMES])) if kind > 2 else draw(JSON)
    if kind > 2:
        body = {
            **body,
            **draw(
                st.sampled_from([{}, {}, {"Id": "1", "SyncToken": "0"}, {"Id": "1", "SyncToken": "0", "sparse": True}])
            ),
        }
        for _ in range(draw(st.integers(1, 2))):
            body = _spoiled(body, draw(st.sampled_from(_spots(body))), draw(JSON))
    text = msgspec.json.encode(body)
    return text[: draw(st.integers(0, len(text)))] if kind == 9 else text


OPTIONS = st.dictionaries(
    st.sampled_from(["operation", "include", "requestid", "minorversion", "format", "sendTo"]),
    st.sampled_from(["delete", "void", "update", "json", "75", "x", "allowduplicatedocnum"]) | TEXT,
    max_size=2,
)
WORDS = st.sampled_from(
    [
        "select",
        "*",
        "from",
        "Invoice",
        "Customer",
        "where",
        "and",
        "or",
        "not",
        "in",
        "like",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "<",
        ">=",
        "''",
        "'a'",
        "'%'",
        "'O\\'x'",
        "orderby",
        "order",
        "by",
        "desc",
        "startposition",
        "maxresults",
        "0",
        "-1",
        "1001",
        "99999999999999999999",
        "Id",
        "Balance",
        "TxnDate",
        "DisplayName",
        "Active",
        "true",
        "MetaData.LastUpdatedTime",
        "Line.",
        "'2026-13-99'",
        "'2026-11-20T25:00:00'",
        "count(*)",
        "CustomerRef",
        "null",
        "1e9",
        "\\",
        "'",
        "\x00",
        "é",
    ]
)
DAYS = (
    st.sampled_from(
        [
            "",
            "2026",
            "2026-11-20",
            "2026-02-30",
            "2026-11-20T10:00:00Z",
            "2026-11-20T10:00:00+99:99",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "1e9",
            "２０２６-11-20",
        ]
    )
    | TEXT
)


def _fuzz(strategies: dict[str, st.SearchStrategy[Any]], check: Callable[..., None]) -> None:
    run = given(**strategies)(check)
    settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )(run)()


def _is_documented(response: httpx.Response) -> None:
    assert response.status_code in {200, 400, 401, 403, 413, 429}, (response.status_code, response.text[:300])
    if response.headers["content-type"] == "application/pdf":
        return
    answer = exact(response)
    if response.status_code == 400:
        [error, *_] = answer["Fault"]["Error"]
        assert error["code"] != "10000", response.text
    elif response.status_code in {401, 403}:
        assert answer["fault"]["error"]
    for item in answer.get("BatchItemResponse", []) if isinstance(answer, dict) else []:
        assert [each["code"] for each in item.get("Fault", {}).get("Error", [])] != ["10000"], response.text


def test_bodies(us: Company) -> None:
    def check(resource: str, body: bytes, options: dict[str, str]) -> None:
        _is_documented(us.call("POST", resource, body, **options))

    _fuzz({"resource": st.sampled_from(RESOURCES), "body": _bodies(), "options": OPTIONS}, check)


def test_queries(us: Company) -> None:
    def check(words: list[str], sep: str, post: bool) -> None:
        text = sep.join(words)
        if post:
            _is_documented(us.call("POST", "query", text.encode()))
        else:
            _is_documented(us.call("GET", "query", query=text))

    words = st.one_of(
        st.lists(WORDS | TEXT, max_size=12),
        st.lists(WORDS, max_size=6).map(lambda tail: ["select * from Invoice where", *tail]),
    )
    _fuzz({"words": words, "sep": st.sampled_from([" ", " ", ""]), "post": st.booleans()}, check)


def test_paths_and_ids(us: Company) -> None:
    def check(method: str, parts: list[str]) -> None:
        path = "/".join(quote(part, safe="") for part in parts)
        _is_documented(us.call(method, path))

    part = st.sampled_from(
        [*RESOURCES[:-3], "pdf", "send", "1", "-1", "1.5", "9" * 30, "٣", "TAX", "batch", "cdc", "%"]
    )
    parts = st.lists(part | TEXT.filter(lambda text: text not in {".", ".."}), max_size=4)
    _fuzz({"method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]), "parts": parts}, check)


def test_headers(us: Company) -> None:
    def check(name: str, value: bytes, body: bytes) -> None:
        headers = {b"authorization": f"Bearer {us.tokens.access}".encode(), b"accept": b"application/json"}
        headers[name.encode()] = value.strip()
        http, path = us.running.http, f"/v3/company/{us.realm}/customer"
        _is_documented(http.post(path, content=body, headers=list(headers.items())))

    names = ["authorization", "accept", "accept-encoding", "content-encoding", "content-type", "request-id"]
    odd = st.sampled_from(
        [b"Bearer", b"Bearer  ", b"Basic x", b"gzip", b"GZIP", b"text/xml", b"\xff\xfe", b"bearer \xe9"]
    )
    value = odd | st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=12).map(
        lambda t: t.encode("latin-1")
    )
    value = value.filter(lambda raw: not set(raw) & {0x7F, 0x85, 0xA0})
    _fuzz({"name": st.sampled_from(names), "value": value, "body": _bodies()}, check)


def test_batches(us: Company) -> None:
    item: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {},
        optional={
            "bId": LEAVES,
            "operation": st.sampled_from(["create", "update", "delete", "void", "query", "x"]) | LEAVES,
            "Query": st.lists(WORDS, max_size=5).map(" ".join) | LEAVES,
            "Invoice": st.just(SALE) | JSON,
            "Customer": JSON,
            "options": LEAVES,
            "optionsData": LEAVES,
        },
    )

    def check(items: Any, options: dict[str, str]) -> None:
        _is_documented(us.call("POST", "batch", {"BatchItemRequest": items}, **options))

    _fuzz({"items": st.lists(item | JSON, max_size=4) | JSON, "options": OPTIONS}, check)


def test_changes(us: Company) -> None:
    def check(entities: str, since: str) -> None:
        _is_documented(us.call("GET", "cdc", entities=entities, changedSince=since))

    names = st.lists(st.sampled_from([*ENTITIES, "TaxAgency", "Roles", "*"]) | TEXT, max_size=3).map(",".join)
    _fuzz({"entities": names, "since": DAYS}, check)


def _is_refused_or_done(response: httpx.Response) -> None:
    assert response.status_code in {200, 400, 404, 405}, (response.status_code, response.text[:300])
    if response.status_code == 400:
        assert set(exact(response)) - {"scenarios"} == {"error"}, response.text


@pytest.fixture
def alone() -> Iterator[Running]:
    """An emulator whose settings may be left in any state."""
    process, base = start()
    with open_client(base) as http:
        yield Running(base, http)
    assert stop(process) == 0


def test_webhook_endpoints(alone: Running) -> None:
    body = st.fixed_dictionaries(
        {"url": st.sampled_from(["http://127.0.0.1:1/", "ftp://x", "http://[", "http://a:99999/"]) | LEAVES},
        optional=dict.fromkeys(
            (
                "verifier_token",
                "format",
                "entities",
                "delay_seconds",
                "reorder_seconds",
                "duplicates_percent",
                "seed",
                "hold_back",
                "timeout_ms",
                "client_id",
            ),
            LEAVES | JSON,
        ),
    )

    def check(body: Any) -> None:
        _is_refused_or_done(alone.http.post("/_emulator/webhooks", content=msgspec.json.encode(body)))

    _fuzz({"body": body | JSON}, check)


def test_control_plane(alone: Running) -> None:
    names = (
        "scenario",
        "realm_id",
        "client_id",
        "scope",
        "jump_seconds",
        "match",
        "nth",
        "count",
        "probability",
        "seed",
        "action",
        "enabled",
        "requests_per_second",
        "remembered",
        "faults",
        "entity",
        "id",
        "fields",
        "date",
        "redirect_uris",
        "name",
        "refresh_after_seconds",
        "rotate_after_seconds",
        "lookups_blind_seconds",
    )
    body = st.dictionaries(st.sampled_from(names), JSON, max_size=3)
    paths = (
        "companies",
        "apps",
        "tokens",
        "tokens/expire",
        "tokens/revoke",
        "lifetimes",
        "clock",
        "faults",
        "limits",
        "request-ids",
        "act",
        "nonsense",
    )

    def check(path: str, body: Any) -> None:
        _is_refused_or_done(alone.http.post(f"/_emulator/{path}", content=msgspec.json.encode(body)))

    _fuzz({"path": st.sampled_from(paths), "body": body | JSON}, check)


def test_oauth_forms(emulator: Running) -> None:
    def check(path: str, form: dict[str, str], auth: str, body: bytes | None) -> None:
        headers = {"authorization": auth, "content-type": "application/x-www-form-urlencoded"}
        content = body if body is not None else str(httpx.QueryParams(form)).encode()
        response = emulator.http.post(path, content=content, headers=headers)
        assert response.status_code in {200, 400, 401}, (response.status_code, response.text[:300])

    fields = st.sampled_from(
        ["grant_type", "code", "redirect_uri", "refresh_token", "client_id", "client_secret", "token"]
    )
    values = st.sampled_from(["authorization_code", "refresh_token", "emulator-client", "emulator-secret", ""]) | TEXT
    auths = st.sampled_from(
        ["", "Basic", "Basic !!!", "Basic w6k=", "Basic ZW11bGF0b3ItY2xpZW50OmVtdWxhdG9yLXNlY3JldA==", "Basic /w=="]
    )
    _fuzz(
        {
            "path": st.sampled_from(["/oauth2/v1/tokens/bearer", "/v2/oauth2/tokens/revoke"]),
            "form": st.dictionaries(fields, values, max_size=4),
            "auth": auths,
            "body": st.none() | st.binary(max_size=20),
        },
        check,
    )


EXTREME = {
    "nested lists": b"[" * 200_000,
    "nested objects": b'{"Line":' * 200_000,
    "nested and closed": b'{"Line":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "invalid UTF-8": b'{"DisplayName":"\xff\xfe","Line":[]}',
    "endless whole number": b'{"CustomerRef":{"value":"1"},"TotalAmt":' + b"9" * 100_000 + b"}",
    "endless fraction": b'{"CustomerRef":{"value":"1"},"TotalAmt":0.' + b"9" * 100_000 + b"}",
    "huge exponent": b'{"CustomerRef":{"value":"1"},"TotalAmt":1e999999}',
    "huge exponent as text": b'{"CustomerRef":{"value":"1"},"TotalAmt":"1e999999"}',
    "tiny exponent": b'{"CustomerRef":{"value":"1"},"TotalAmt":1e-999999}',
    "no number": b'{"CustomerRef":{"value":"1"},"TotalAmt":NaN}',
    "huge id": b'{"Id":1e999999,"SyncToken":"0","sparse":true}',
    "huge version": b'{"Id":"1","SyncToken":1e999999,"sparse":true}',
}


@pytest.mark.parametrize("resource", ["payment", "invoice", "customer", "batch", "taxservice/taxcode", "preferences"])
@pytest.mark.parametrize("name", EXTREME)
def test_extreme_bodies_are_refused_at_once(us: Company, name: str, resource: str) -> None:
    response = us.call("POST", resource, EXTREME[name])
    assert response.status_code == 400
    assert response.elapsed < timedelta(seconds=3)
    _is_documented(response)


def test_huge_body_is_refused(us: Company) -> None:
    response = us.call("POST", "customer", b'{"DisplayName": "' + b"x" * 50_000_000 + b'"}')
    assert response.status_code == 413
    _is_documented(response)
