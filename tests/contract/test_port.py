"""The provider port, kept by every provider: one suite over the fake and over QuickBooks in both tax models."""

import dataclasses
from decimal import Decimal
from typing import Literal
from uuid import uuid4

import pytest

from cone.accounting.port.documents import Create, InvoiceDocument
from cone.accounting.port.provider import AuthorizationRefusedError, Sent
from cone.accounting.port.verdicts import CauseCode, GoneError, ReconnectError, RejectedError, StaleError
from cone.kit.values import replace

from .platform import REDIRECT_URI, Connected, GrantedAccess, Platform, connect, query_of
from .writing import a_customer, a_service, an_invoice, send, taxed_code, untaxed_code

# Signing in


def test_provider_says_where_connecting_leads(platform: Platform) -> None:
    assert platform.provider.availability().environment == "emulator"
    url = platform.provider.authorize_url(state="s t", redirect_uri=REDIRECT_URI)
    assert query_of(url)["state"] == "s t"
    assert query_of(url)["redirect_uri"] == REDIRECT_URI


# No item of any platform under test is called so.
NOBODYS = "Stargazing by appointment"


async def test_declining_is_told(platform: Platform) -> None:
    query = await platform.decline(platform.provider.authorize_url(state="s", redirect_uri=REDIRECT_URI))
    assert query["state"] == "s"
    with pytest.raises(AuthorizationRefusedError) as caught:
        platform.provider.read_return(query)
    assert caught.value.reason == "denied"


def test_return_without_a_code_is_refused(platform: Platform) -> None:
    with pytest.raises(AuthorizationRefusedError) as caught:
        platform.provider.read_return({"state": "s"})
    assert caught.value.reason == "invalid"


async def test_code_works_once(platform: Platform) -> None:
    async with platform.provider.open() as client:
        query = await platform.consent(platform.provider.authorize_url(state="s", redirect_uri=REDIRECT_URI))
        code = platform.provider.read_return(query).code
        grant = await client.exchange_code(code=code, redirect_uri=REDIRECT_URI)
        assert grant.access_lifetime.total_seconds() > 0
        assert grant.refresh_lifetime > grant.access_lifetime
        with pytest.raises(AuthorizationRefusedError) as caught:
            await client.exchange_code(code=code, redirect_uri=REDIRECT_URI)
    assert caught.value.reason == "expired"


async def test_refused_access_token_is_renewed(platform: Platform, connected: Connected) -> None:
    grant = dataclasses.replace(connected.access.grant, access_token="not-a-token")
    access = GrantedAccess(connected.client, grant, connected.access.company_id)
    facts = await connected.client.read_company(access)
    assert facts == connected.facts
    assert access.renewals == 1


async def test_daily_look_reads_the_same_at_once(connected: Connected) -> None:
    read = await connected.client.read_books(connected.access, item_names=[NOBODYS])
    assert read == (connected.facts, replace(connected.reference, missing_items=(NOBODYS,)))


async def test_lists_tell_which_items_are_missing(connected: Connected) -> None:
    document = a_service(connected)
    names = [NOBODYS, document.name]
    _, before = await connected.client.read_books(connected.access, item_names=names)
    await send(connected, document)
    _, after = await connected.client.read_books(connected.access, item_names=names)
    assert (set(before.missing_items), after.missing_items) == (set(names), (NOBODYS,))
    # The name is taken in whatever case it's written.
    _, again = await connected.client.read_books(connected.access, item_names=[f" {document.name.upper()}", NOBODYS])
    assert again.missing_items == (NOBODYS,)


async def test_dead_refresh_token_asks_to_reconnect(connected: Connected) -> None:
    with pytest.raises(ReconnectError):
        await connected.client.refresh("not-a-token")


async def test_revoking_ends_the_grant_and_may_be_repeated(platform: Platform) -> None:
    async with platform.provider.open() as client:
        grant, company_id = await connect(platform, client)
        await client.revoke(grant.refresh_token)
        await client.revoke(grant.refresh_token)
        with pytest.raises(ReconnectError):
            await client.refresh(grant.refresh_token)
        with pytest.raises(ReconnectError):
            await client.read_company(GrantedAccess(client, grant, company_id))


# The company


def test_company_has_a_name_a_country_and_a_currency(connected: Connected) -> None:
    assert connected.facts.name
    assert (connected.facts.country, connected.facts.home_currency) in {("GB", "GBP"), ("US", "USD")}


def test_accounts_for_deposits_are_active_and_the_suggested_income_account_is_one(connected: Connected) -> None:
    accounts = {account.remote_id: account for account in connected.reference.accounts}
    assert len(accounts) == len(connected.reference.accounts)
    deposits = [account for account in accounts.values() if account.can_receive_deposits]
    assert deposits
    assert all(account.is_active for account in deposits)
    suggested = accounts[connected.reference.suggested_income_account_id or ""]
    assert (suggested.is_active, suggested.is_income) == (True, True)


def test_tax_codes_are_distinct_and_some_are_taxed_and_some_not(connected: Connected) -> None:
    codes = connected.reference.tax_codes
    assert len({code.remote_id for code in codes}) == len(codes)
    assert taxed_code(connected).percent
    assert untaxed_code(connected).percent == 0


# Customers and services


async def test_customer_is_created_read_found_and_updated(connected: Connected) -> None:
    document = a_customer(connected)
    created = (await send(connected, document)).record
    assert (created.kind, created.name, created.email, created.is_active) == (
        "customer",
        document.name,
        "zoe@example.com",
        True,
    )
    assert await connected.client.read(connected.access, "customer", created.remote_id) == created
    assert await connected.client.find(connected.access, document) == created
    renamed = replace(document, name=f"Renamed {uuid4()}", email="new@example.com")
    updated = (await send(connected, renamed, over=created)).record
    assert (updated.remote_id, updated.name, updated.email) == (created.remote_id, renamed.name, "new@example.com")
    assert updated.version != created.version


async def test_customer_of_a_taken_name_is_rejected(connected: Connected) -> None:
    document = a_customer(connected)
    await send(connected, document)
    with pytest.raises(RejectedError) as caught:
        await send(connected, replace(document, uuid=uuid4()))
    assert caught.value.cause == CauseCode.NAME_TAKEN
    assert caught.value.answered.message


def test_customer_name_with_a_colon_is_refused_before_sending(connected: Connected) -> None:
    with pytest.raises(RejectedError) as caught:
        connected.provider.prepare(Create(a_customer(connected, name="A: B")), connected.facts)
    assert caught.value.cause == CauseCode.NAME_INVALID


async def test_service_is_created_and_found_by_its_name(connected: Connected) -> None:
    document = a_service(connected)
    assert await connected.client.find(connected.access, document) is None
    created = (await send(connected, document)).record
    assert (created.kind, created.name) == ("service", document.name)
    assert created.income_account_id == document.income_account_id
    assert await connected.client.find(connected.access, document) == created


# Invoices


def check_agrees(connected: Connected, document: InvoiceDocument, sent: Sent) -> None:
    record = sent.record
    assert (record.kind, record.number, record.customer_id) == ("invoice", document.number, document.customer_id)
    assert (record.total, record.tax) == (document.total, document.tax)
    assert record.balance == document.total
    assert record.marker == str(document.uuid)
    if connected.facts.tax_model == "global":
        assert record.tax_codes == tuple(line.tax_code_id for line in document.lines)


async def test_invoice_arrives_with_the_same_figures(connected: Connected) -> None:
    document = await an_invoice(connected)
    sent = await send(connected, document)
    check_agrees(connected, document, sent)
    assert sent.answered.http_status == 200
    assert sent.answered.tid
    assert await connected.client.read(connected.access, "invoice", sent.record.remote_id) == sent.record
    assert await connected.client.find(connected.access, document) == sent.record


@pytest.mark.parametrize("amounts_are", ["exclusive", "inclusive"])
async def test_invoice_of_rates_fractions_and_discounts_agrees_to_the_cent(
    connected: Connected, amounts_are: Literal["exclusive", "inclusive"]
) -> None:
    if connected.facts.tax_model == "us" and amounts_are == "inclusive":
        pytest.skip("prices in the US never contain the tax")
    taxed, untaxed = taxed_code(connected), untaxed_code(connected)
    document = await an_invoice(
        connected,
        ("3", "33.33", "0", taxed),
        ("1.5", "19.999", "0", taxed),
        ("7", "0.015", "0", taxed),
        ("2", "49.95", "12.5", taxed),
        ("1", "10", "0", untaxed),
        amounts_are=amounts_are,
    )
    check_agrees(connected, document, await send(connected, document))


async def test_invoice_carries_the_deposit_account_where_allowed(connected: Connected) -> None:
    if not connected.facts.allows_invoice_deposit:
        pytest.skip("this company doesn't allow deposits on invoices")
    bank = next(account for account in connected.reference.accounts if account.can_receive_deposits)
    document = replace(await an_invoice(connected), deposit_account_id=bank.remote_id)
    assert (await send(connected, document)).record.deposit_account_id == bank.remote_id


async def test_edited_invoice_is_the_same_record(connected: Connected) -> None:
    document = await an_invoice(connected)
    created = (await send(connected, document)).record
    [line] = document.lines
    doubled = replace(
        document,
        revision=2,
        lines=(replace(line, quantity=Decimal(4), amount=line.amount * 2, net=line.net * 2),),
        net=document.net * 2,
        tax=document.tax * 2,
        total=document.total * 2,
    )
    sent = await send(connected, doubled, over=created)
    check_agrees(connected, doubled, sent)
    assert sent.record.remote_id == created.remote_id
    assert sent.record.version != created.version


async def test_same_request_sent_twice_is_one_invoice(connected: Connected) -> None:
    document = await an_invoice(connected)
    first = await send(connected, document, key="once-" + document.uuid.hex)
    second = await send(connected, document, key="once-" + document.uuid.hex)
    assert second.record == first.record
    assert await connected.client.find(connected.access, document) == first.record


async def test_update_of_an_old_version_is_stale(connected: Connected) -> None:
    document = await an_invoice(connected)
    created = (await send(connected, document)).record
    await send(connected, replace(document, memo="Changed"), over=created)
    with pytest.raises(StaleError):
        await send(connected, replace(document, memo="Again"), over=created)


async def test_invoice_of_a_taken_number_is_rejected(connected: Connected) -> None:
    if not connected.facts.uses_own_numbers:
        pytest.skip("this company gives the numbers itself and checks none")
    document = await an_invoice(connected)
    await send(connected, document)
    with pytest.raises(RejectedError) as caught:
        await send(connected, replace(document, uuid=uuid4()))
    assert caught.value.cause == CauseCode.NUMBER_TAKEN


async def test_invoice_of_an_unknown_customer_isnt_taken(connected: Connected) -> None:
    document = replace(await an_invoice(connected), customer_id="999999")
    with pytest.raises((RejectedError, GoneError)) as caught:
        await send(connected, document)
    if isinstance(caught.value, RejectedError):
        assert caught.value.cause == CauseCode.REFERENCE_MISSING
    assert await connected.client.find(connected.access, document) is None


async def test_unknown_record_is_gone(connected: Connected) -> None:
    with pytest.raises(GoneError):
        await connected.client.read(connected.access, "invoice", "999999")


# Where a person looks


def test_addresses_of_records_name_the_record_and_the_company(platform: Platform) -> None:
    for kind in ("customer", "invoice"):
        url = platform.provider.record_url(environment="emulator", company_id="77", kind=kind, remote_id="4711")
        assert "4711" in url
        assert "77" in url
    assert platform.provider.accounts_url(environment="emulator", company_id="77").startswith("http")
