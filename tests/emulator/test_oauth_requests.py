"""OAuth requests: in the record, under faults on order, with reused tokens, and disconnecting inside QuickBooks."""

import httpx
import pytest

from tests.emulator.running import CLIENT, Company, Json, Running, exact, open_client, start, stop

TOKEN_PATH = "/oauth2/v1/tokens/bearer"


def refresh(emulator: Running, token: str) -> httpx.Response:
    return emulator.token({"grant_type": "refresh_token", "refresh_token": token})


def recorded(emulator: Running, path: str) -> list[Json]:
    found: list[Json] = emulator.control("GET", f"requests?path={path}")["requests"]
    return found


def test_token_requests_are_recorded_without_their_secrets(uk: Company, emulator: Running) -> None:
    answer = refresh(emulator, uk.tokens.refresh)
    last = recorded(emulator, TOKEN_PATH)[-1]
    assert (last["method"], last["status"]) == ("POST", 200)
    assert last["intuit_tid"] == answer.headers["intuit_tid"]
    assert uk.tokens.refresh not in str(last)
    assert "grant_type=refresh_token" in last["body"]
    emulator.http.post("/v2/oauth2/tokens/revoke", json={"token": "x" * 40}, auth=CLIENT)
    [revoked] = recorded(emulator, "revoke")
    assert (revoked["status"], "x" * 12 in str(revoked)) == (400, False)


@pytest.mark.parametrize(
    ("action", "status", "error"),
    [
        ({"status": 503}, 503, "server_error"),
        ({"status": 401}, 401, "invalid_client"),
        ("expired_token", 400, "invalid_grant"),
    ],
)
def test_ordered_statuses_of_the_token_endpoint(
    uk: Company, emulator: Running, action: str | Json, status: int, error: str
) -> None:
    emulator.control("POST", "faults", {"match": {"path": TOKEN_PATH}, "count": 1, "action": action})
    refused = refresh(emulator, uk.tokens.refresh)
    assert (refused.status_code, exact(refused)["error"]) == (status, error)
    assert refresh(emulator, uk.tokens.refresh).status_code == 200


@pytest.mark.parametrize(("action", "rotated"), [("drop_after", True), ("drop_before", False), ("half_body", True)])
def test_lost_token_answers(uk: Company, emulator: Running, action: str, *, rotated: bool) -> None:
    emulator.control("POST", "lifetimes", {"rotate_after_seconds": 0, "rotation_grace_seconds": 0})
    emulator.control("POST", "faults", {"match": {"path": TOKEN_PATH}, "count": 1, "action": action})
    with pytest.raises(httpx.TransportError):
        refresh(emulator, uk.tokens.refresh)
    emulator.control("POST", "clock", {"jump_seconds": 2})
    assert refresh(emulator, uk.tokens.refresh).status_code == (400 if rotated else 200)


def test_orders_without_a_path_leave_oauth_alone(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "faults", {"action": {"status": 503}})
    assert refresh(emulator, uk.tokens.refresh).status_code == 200


def test_reuse_of_a_rotated_token_ends_the_connection_in_that_mode(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "lifetimes", {"rotate_after_seconds": 0, "reuse_revokes": True})
    newer = exact(refresh(emulator, uk.tokens.refresh))
    reused = refresh(emulator, uk.tokens.refresh)
    assert exact(reused)["error"] == "invalid_grant"
    assert refresh(emulator, newer["refresh_token"]).status_code == 400
    uk.tokens.access = newer["access_token"]
    assert uk.call("GET", "preferences").status_code == 401


def test_reuse_is_harmless_by_default(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "lifetimes", {"rotate_after_seconds": 0})
    newer = exact(refresh(emulator, uk.tokens.refresh))
    assert refresh(emulator, uk.tokens.refresh).status_code == 200
    assert refresh(emulator, newer["refresh_token"]).status_code == 200


def test_tokens_without_a_browser(emulator: Running) -> None:
    realm = emulator.control("GET", "companies")["companies"][1]["realm_id"]
    issued = emulator.control("POST", "tokens", {"realm_id": realm})
    answer = emulator.http.get(
        f"/v3/company/{realm}/preferences",
        headers={"Authorization": f"Bearer {issued['access_token']}", "Accept": "application/json"},
    )
    assert (answer.status_code, issued["realm_id"], issued["expires_in"]) == (200, realm, 3600)
    assert refresh(emulator, issued["refresh_token"]).status_code == 200
    assert emulator.http.post("/_emulator/tokens", json={"client_id": "nobody"}).status_code == 404


def test_disconnecting_inside_quickbooks_leads_to_the_apps_page() -> None:
    process, base = start("--disconnect-url", "http://localhost:8000/bye?from=qbo")
    with open_client(base) as http:
        emulator = Running(base, http)
        company = emulator.company(emulator.control("GET", "health")["companies"][0]["realm_id"])
        assert "form-action 'self'" not in http.get("/").headers["content-security-policy"]
        left = http.post("/app/disconnect", data={"key": f"{CLIENT[0]} {company.realm}"})
        assert left.headers["location"] == f"http://localhost:8000/bye?from=qbo&realmId={company.realm}"
        assert company.call("GET", "preferences").status_code == 401
        assert exact(refresh(emulator, company.tokens.refresh))["error"] == "invalid_grant"
        again = http.post("/app/disconnect", data={"key": f"{CLIENT[0]} {company.realm}"})
        assert again.headers["location"] == "/"
    assert stop(process) == 0
