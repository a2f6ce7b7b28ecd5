"""OAuth and OpenID as documented: pages, codes, tokens, rotation, revocation, discovery, id tokens."""

import base64

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.emulator.running import ACCOUNTING, CLIENT, REDIRECT, Running, exact

DAY = 86_400


def realm_of(emulator: Running) -> str:
    return str(emulator.control("GET", "health")["companies"][0]["realm_id"])


def refresh(emulator: Running, token: str) -> httpx.Response:
    return emulator.token({"grant_type": "refresh_token", "refresh_token": token})


def years_end_days(emulator: Running, token: str) -> int:
    """In how many days the token's chain ends whatever is done; the seconds since it began are forgiven."""
    asked = emulator.token(
        {"grant_type": "refresh_token", "refresh_token": token},
        headers={"x-include-refresh-token-hard-expires-in": "true"},
    )
    seconds: int = exact(asked)["x_refresh_token_hard_expires_in"]
    return (seconds + 600) // DAY


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", ["openid_configuration", "openid_sandbox_configuration"])
def test_discovery_lists_the_endpoints_of_this_server(emulator: Running, name: str, slash: str) -> None:
    document = exact(emulator.http.get(f"/.well-known/{name}{slash}"))
    assert document == {
        "issuer": "https://oauth.platform.intuit.com/op/v1",
        "authorization_endpoint": f"{emulator.base}/connect/oauth2",
        "token_endpoint": f"{emulator.base}/oauth2/v1/tokens/bearer",
        "userinfo_endpoint": f"{emulator.base}/v1/openid_connect/userinfo",
        "revocation_endpoint": f"{emulator.base}/v2/oauth2/tokens/revoke",
        "jwks_uri": f"{emulator.base}/op/v1/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
    }


def test_redirect_carries_code_state_and_realm(emulator: Running) -> None:
    realm = realm_of(emulator)
    answer = emulator.redirect(realm)
    assert set(answer) == {"code", "state", "realmId"}
    assert (answer["state"], answer["realmId"]) == (["s-1"], [realm])
    assert len(answer["code"][0]) <= 512


def test_cancel_answers_access_denied_with_state(emulator: Running) -> None:
    assert emulator.redirect(realm_of(emulator), decision="cancel") == {"error": ["access_denied"], "state": ["s-1"]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_id": "nobody"}, "Unknown app"),
        ({"redirect_uri": "https://evil.example/callback"}, "not registered"),
        ({"redirect_uri": "http://localhost:8000/callback#x"}, "not registered"),
        ({"redirect_uri": ""}, "not registered"),
    ],
)
def test_wrong_client_or_redirect_is_a_page_not_a_redirect(
    emulator: Running, change: dict[str, str], words: str
) -> None:
    asked = {
        "client_id": CLIENT[0],
        "response_type": "code",
        "scope": ACCOUNTING,
        "redirect_uri": REDIRECT,
        "state": "s",
    }
    response = emulator.http.get("/connect/oauth2", params={**asked, **change})
    assert response.status_code == 400
    assert words in response.text
    assert "location" not in response.headers


def test_registered_redirects_must_match_exactly(emulator: Running) -> None:
    emulator.control("POST", "apps", {"client_id": "other", "client_secret": "x", "redirect_uris": [REDIRECT]})
    asked = {"client_id": "other", "response_type": "code", "scope": ACCOUNTING, "state": "s"}
    matching = emulator.http.get("/connect/oauth2", params={**asked, "redirect_uri": REDIRECT})
    longer = emulator.http.get("/connect/oauth2", params={**asked, "redirect_uri": f"{REDIRECT}/"})
    assert (matching.status_code, longer.status_code) == (200, 400)


def test_token_answer_has_the_documented_members(emulator: Running) -> None:
    code = emulator.redirect(realm_of(emulator))["code"][0]
    response = emulator.token({"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT})
    body = exact(response)
    assert set(body) == {"token_type", "expires_in", "refresh_token", "x_refresh_token_expires_in", "access_token"}
    assert (body["token_type"], body["expires_in"], body["x_refresh_token_expires_in"]) == ("bearer", 3600, 8_640_000)
    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    assert response.headers["cache-control"] == "no-cache, no-store"
    assert response.headers["intuit_tid"]


def test_credentials_in_the_body_are_taken_and_wrong_ones_refused(emulator: Running) -> None:
    code = emulator.redirect(realm_of(emulator))["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    wrong = emulator.token(form, auth=(CLIENT[0], "guess"))
    assert (wrong.status_code, exact(wrong)["error"]) == (401, "invalid_client")
    right = emulator.token({**form, "client_id": CLIENT[0], "client_secret": CLIENT[1]}, auth=None)
    assert right.status_code == 200


def test_code_works_once_only_at_its_redirect_and_for_five_minutes(emulator: Running) -> None:
    realm = realm_of(emulator)
    code = emulator.redirect(realm)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    elsewhere = emulator.token({**form, "redirect_uri": "http://localhost:9/x"})
    assert (elsewhere.status_code, exact(elsewhere)) == (
        400,
        {"error_description": "Token invalid", "error": "invalid_grant"},
    )
    assert emulator.token(form).status_code == 200
    assert exact(emulator.token(form))["error"] == "invalid_grant"
    late = emulator.redirect(realm)["code"][0]
    emulator.control("POST", "clock", {"jump_seconds": 301})
    assert exact(emulator.token({**form, "code": late}))["error"] == "invalid_grant"


def test_refresh_value_stays_for_a_day_then_rotates_with_a_day_of_grace(emulator: Running) -> None:
    first = emulator.connect(realm_of(emulator))
    same = exact(refresh(emulator, first.refresh))
    assert same["refresh_token"] == first.refresh
    assert same["access_token"] != first.access
    emulator.control("POST", "clock", {"jump_seconds": DAY})
    rotated = exact(refresh(emulator, first.refresh))
    assert rotated["refresh_token"] != first.refresh
    assert exact(refresh(emulator, first.refresh))["refresh_token"] == rotated["refresh_token"]
    emulator.control("POST", "clock", {"jump_seconds": DAY + 1})
    dead = refresh(emulator, first.refresh)
    assert (dead.status_code, exact(dead)) == (
        400,
        {"error_description": "Incorrect or invalid refresh token", "error": "invalid_grant"},
    )
    assert refresh(emulator, rotated["refresh_token"]).status_code == 200


def test_refresh_token_unused_for_a_hundred_days_dies(emulator: Running) -> None:
    tokens = emulator.connect(realm_of(emulator))
    emulator.control("POST", "clock", {"jump_seconds": 100 * DAY})
    assert exact(refresh(emulator, tokens.refresh))["error"] == "invalid_grant"


def test_consent_starts_five_new_years_and_leaves_the_old_ones_to_end(emulator: Running) -> None:
    realm = realm_of(emulator)
    # So long a window that only the five years end a token.
    emulator.control("POST", "lifetimes", {"refresh_window_seconds": 4000 * DAY})
    old = emulator.connect(realm)
    emulator.control("POST", "clock", {"jump_seconds": 1820 * DAY})
    new = emulator.connect(realm)
    assert [years_end_days(emulator, each.refresh) for each in (old, new)] == [5, 1825]
    emulator.control("POST", "clock", {"jump_seconds": 6 * DAY})
    assert exact(refresh(emulator, old.refresh))["error"] == "invalid_grant"
    assert years_end_days(emulator, new.refresh) == 1819
    emulator.control("POST", "clock", {"jump_seconds": 1819 * DAY})
    assert exact(refresh(emulator, new.refresh))["error"] == "invalid_grant"
    assert years_end_days(emulator, emulator.connect(realm).refresh) == 1825


def test_graced_value_is_answered_from_its_own_consent(emulator: Running) -> None:
    realm = realm_of(emulator)
    old = emulator.connect(realm)
    emulator.control("POST", "clock", {"jump_seconds": DAY})
    successor = exact(refresh(emulator, old.refresh))["refresh_token"]
    emulator.control("POST", "clock", {"jump_seconds": 60})
    assert emulator.connect(realm).refresh != successor
    assert exact(refresh(emulator, old.refresh))["refresh_token"] == successor


def test_lifetimes_are_settings_until_the_next_reset(emulator: Running) -> None:
    changed = {"rotate_after_seconds": 0, "rotation_grace_seconds": 0, "access_token_seconds": 60}
    emulator.control("POST", "lifetimes", changed)
    tokens = emulator.connect(realm_of(emulator))
    assert tokens.body["expires_in"] == 60
    rotated = exact(refresh(emulator, tokens.refresh))["refresh_token"]
    assert rotated != tokens.refresh
    assert exact(refresh(emulator, tokens.refresh))["error"] == "invalid_grant"
    emulator.reset("uk-vat")
    assert emulator.connect(realm_of(emulator)).body["expires_in"] == 3600


def test_hard_expiry_is_told_on_request_only(emulator: Running) -> None:
    tokens = emulator.connect(realm_of(emulator))
    asked = emulator.token(
        {"grant_type": "refresh_token", "refresh_token": tokens.refresh},
        headers={"x-include-refresh-token-hard-expires-in": "true"},
    )
    assert 157_679_000 < exact(asked)["x_refresh_token_hard_expires_in"] <= 157_680_000
    assert "x_refresh_token_hard_expires_in" not in tokens.body


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_revoking_either_token_ends_the_connection(emulator: Running, kind: str, as_json: bool) -> None:
    company = emulator.company(realm_of(emulator))
    body = {"token": getattr(company.tokens, kind)}
    response = (
        emulator.http.post("/v2/oauth2/tokens/revoke", json=body, auth=CLIENT)
        if as_json
        else emulator.http.post("/v2/oauth2/tokens/revoke", data=body, auth=CLIENT)
    )
    assert (response.status_code, response.content) == (200, b"")
    assert company.call("GET", "preferences").status_code == 401
    assert exact(refresh(emulator, company.tokens.refresh))["error"] == "invalid_grant"
    again = emulator.http.post("/v2/oauth2/tokens/revoke", json=body, auth=CLIENT)
    assert (again.status_code, set(exact(again))) == (400, {"error", "error_description"})


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_id_token_is_signed_by_the_published_key(emulator: Running) -> None:
    realm = realm_of(emulator)
    tokens = emulator.connect(realm, scope=f"{ACCOUNTING} openid email")
    head, claims, signature = tokens.body["id_token"].split(".")
    [key] = exact(emulator.http.get("/op/v1/jwks"))["keys"]
    public = rsa.RSAPublicNumbers(
        int.from_bytes(_unpadded(key["e"]), "big"), int.from_bytes(_unpadded(key["n"]), "big")
    ).public_key()
    public.verify(_unpadded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    body = exact(httpx.Response(200, content=_unpadded(claims)))
    assert (body["aud"], body["realmid"], body["iss"]) == (
        [CLIENT[0]],
        realm,
        "https://oauth.platform.intuit.com/op/v1",
    )
    assert exact(httpx.Response(200, content=_unpadded(head))) == {"alg": "RS256", "typ": "JWT", "kid": key["kid"]}


def test_userinfo_needs_openid(emulator: Running) -> None:
    realm = realm_of(emulator)
    plain = emulator.connect(realm)
    refused = emulator.http.get("/v1/openid_connect/userinfo", headers={"Authorization": f"Bearer {plain.access}"})
    assert refused.status_code == 401
    known = emulator.connect(realm, scope=f"{ACCOUNTING} openid")
    answer = emulator.http.get("/v1/openid_connect/userinfo", headers={"Authorization": f"Bearer {known.access}"})
    assert set(exact(answer)) == {
        "sub",
        "email",
        "emailVerified",
        "givenName",
        "familyName",
        "phoneNumber",
        "phoneNumberVerified",
        "address",
    }


def test_wrong_sign_in_is_refused_beside_the_form(emulator: Running) -> None:
    answer = emulator.http.post("/connect/signin", data={"query": "", "email": "x@example.com", "password": "no"})
    assert answer.status_code == 400
    assert "not the demo sign-in" in answer.text
    assert "set-cookie" not in answer.headers


def test_forms_from_other_sites_are_refused(emulator: Running) -> None:
    form = {"query": "", "email": "bookkeeper@example.com", "password": "emulator"}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert emulator.http.post("/connect/signin", data=form, headers=headers).status_code == 403
