"""Which QuickBooks is meant: keys win, the emulator never stands in for them, wrong values explain themselves."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from cone.accounting.port.documents import Kind
from cone.accounting.port.provider import Availability
from cone.providers.quickbooks import QuickBooks, QuickBooksConfig

KEYS = {"QUICKBOOKS_CLIENT_ID": "id", "QUICKBOOKS_CLIENT_SECRET": "secret"}
EMULATOR = {
    "CONE_EMULATOR_URL": "http://127.0.0.1:8010/",
    "CONE_EMULATOR_CLIENT_ID": "eid",
    "CONE_EMULATOR_CLIENT_SECRET": "esecret",
}


def availability(variables: Mapping[str, str]) -> Availability:
    return QuickBooks(QuickBooksConfig.from_environment(variables)).availability()


@pytest.mark.parametrize("environment", ["sandbox", "production", " Production "])
@pytest.mark.parametrize("emulator", [{}, EMULATOR])
def test_keys_lead_to_intuit(environment: str, emulator: Mapping[str, str]) -> None:
    variables = {**KEYS, **emulator, "QUICKBOOKS_ENVIRONMENT": environment}
    assert availability(variables) == Availability("production" if "roduction" in environment else "sandbox")


def test_intuit_addresses_differ_by_environment_in_the_api_only() -> None:
    sandbox = QuickBooksConfig.from_environment({**KEYS, "QUICKBOOKS_ENVIRONMENT": "sandbox"})
    production = QuickBooksConfig.from_environment({**KEYS, "QUICKBOOKS_ENVIRONMENT": "production"})
    assert sandbox.endpoints is not None
    assert production.endpoints is not None
    assert sandbox.endpoints.api == "https://sandbox-quickbooks.api.intuit.com"
    assert production.endpoints.api == "https://quickbooks.api.intuit.com"
    assert sandbox.endpoints.token == production.endpoints.token
    assert (sandbox.client_id, sandbox.client_secret) == ("id", "secret")
    assert "secret'" not in repr(sandbox)


def test_emulator_is_one_address() -> None:
    config = QuickBooksConfig.from_environment(EMULATOR)
    assert availability(EMULATOR) == Availability("emulator")
    assert config.endpoints is not None
    assert config.endpoints.api == "http://127.0.0.1:8010"
    assert config.endpoints.authorize == "http://127.0.0.1:8010/connect/oauth2"
    assert (config.client_id, config.client_secret) == ("eid", "esecret")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "QUICKBOOKS_CLIENT_ID, QUICKBOOKS_CLIENT_SECRET and QUICKBOOKS_ENVIRONMENT"),
        ({**EMULATOR, "QUICKBOOKS_ENVIRONMENT": "production"}, "isn't configured"),
        ({**EMULATOR, "QUICKBOOKS_CLIENT_ID": "id"}, "QUICKBOOKS_CLIENT_SECRET is empty"),
        ({**EMULATOR, "QUICKBOOKS_CLIENT_SECRET": "s"}, "QUICKBOOKS_CLIENT_ID is empty"),
        (KEYS, "it's empty"),
        ({**KEYS, "QUICKBOOKS_ENVIRONMENT": "live"}, "“live”"),
        ({**EMULATOR, "QUICKBOOKS_REQUEST_TIMEOUT_SECONDS": "soon"}, "whole number from 1 to 120"),
        ({**EMULATOR, "QUICKBOOKS_REQUEST_TIMEOUT_SECONDS": "0"}, "whole number from 1 to 120"),
        ({**EMULATOR, "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS": "30"}, "longer than the request timeout"),
        ({**EMULATOR, "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS": "4000"}, "from 130 to 3600"),
        (
            {**KEYS, "QUICKBOOKS_ENVIRONMENT": "production", "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS": "129"},
            "from 130 to 3600",
        ),
        ({**EMULATOR, "CONE_EMULATOR_URL": "127.0.0.1:8010"}, "“127.0.0.1:8010”"),
        ({**EMULATOR, "CONE_EMULATOR_URL": "http://[::"}, "http address"),
        ({**EMULATOR, "CONE_EMULATOR_URL": "http://h:99999"}, "http address"),
        ({"CONE_EMULATOR_URL": "http://127.0.0.1:8010"}, "CONE_EMULATOR_CLIENT_ID"),
    ],
)
def test_what_is_missing_or_wrong_is_said(variables: Mapping[str, str], words: str) -> None:
    found = availability(variables)
    assert found.environment is None
    assert words in found.explanation


def test_times_are_what_is_set_and_shorter_looks_only_with_the_emulator() -> None:
    usual = QuickBooks(QuickBooksConfig.from_environment({**KEYS, "QUICKBOOKS_ENVIRONMENT": "sandbox"}))
    assert (usual.request_timeout, usual.looks_count_after) == (timedelta(seconds=30), timedelta(seconds=130))
    hurried = {"QUICKBOOKS_REQUEST_TIMEOUT_SECONDS": "5", "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS": "22"}
    emulated = QuickBooks(QuickBooksConfig.from_environment({**EMULATOR, **hurried}))
    assert (emulated.request_timeout, emulated.looks_count_after) == (timedelta(seconds=5), timedelta(seconds=22))


PROVIDER = QuickBooks(QuickBooksConfig.from_environment(EMULATOR))


@pytest.mark.parametrize(
    ("environment", "kind", "url"),
    [
        ("production", "invoice", "https://app.qbo.intuit.com/app/invoice?txnId=155"),
        ("sandbox", "invoice", "https://app.sandbox.qbo.intuit.com/app/invoice?txnId=155"),
        ("sandbox", "customer", "https://app.sandbox.qbo.intuit.com/app/customerdetail?nameId=155"),
        ("sandbox", "service", "https://app.sandbox.qbo.intuit.com/app/items"),
        ("sandbox", "payment", "https://app.sandbox.qbo.intuit.com/app/recvpayment?txnId=155"),
        ("emulator", "invoice", "http://127.0.0.1:8010/app/invoice?txnId=155&realmId=77"),
        ("emulator", "customer", "http://127.0.0.1:8010/app/customerdetail?nameId=155&realmId=77"),
        ("emulator", "service", "http://127.0.0.1:8010/app/items?realmId=77"),
    ],
)
def test_record_has_its_address_in_the_environment_it_was_sent_to(environment: str, kind: Kind, url: str) -> None:
    assert PROVIDER.record_url(environment=environment, company_id="77", kind=kind, remote_id="155") == url


def test_accounts_have_their_address_where_it_is_known() -> None:
    assert PROVIDER.accounts_url(environment="emulator", company_id="77") == (
        "http://127.0.0.1:8010/app/chartofaccounts?realmId=77"
    )
    assert PROVIDER.accounts_url(environment="production", company_id="77") == (
        "https://app.qbo.intuit.com/app/chartofaccounts"
    )
    keys_only = QuickBooks(QuickBooksConfig.from_environment({**KEYS, "QUICKBOOKS_ENVIRONMENT": "sandbox"}))
    assert keys_only.accounts_url(environment="emulator", company_id="77") == ""
    assert keys_only.record_url(environment="emulator", company_id="77", kind="invoice", remote_id="1") == ""
