"""Totals in every country's books: what the emulator comes to is what was worked out before sending, to the cent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any, Literal

import httpx
import pytest

from cone.accounting.port.company import TaxCode, TokenGrant
from cone.accounting.port.documents import InvoiceDocument
from cone.accounting.port.verdicts import CauseCode, RejectedError
from cone.kit.values import replace
from cone.providers.quickbooks.taxes import predict_tax

from .emulated import CLIENT_ID, EmulatedQuickBooks
from .platform import Connected, GrantedAccess
from .writing import a_customer, an_invoice, send

BASES: tuple[Literal["exclusive", "inclusive"], ...] = ("exclusive", "inclusive")
AMOUNTS = (("1", "10.10", "0"), ("3", "3.33", "12.5"), ("7", "0.07", "0"))


@asynccontextmanager
async def books_of(url: str, scenario: str) -> AsyncIterator[Connected]:
    """One more company at the emulator, connected without a browser."""

    def control(path: str, body: dict[str, str]) -> Any:
        answer = httpx.post(f"{url}/_emulator/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    realm = str(control("companies", {"scenario": scenario})["realm_id"])
    tokens = control("tokens", {"realm_id": realm, "client_id": CLIENT_ID})
    hour = timedelta(hours=1)
    grant = TokenGrant(tokens["access_token"], tokens["refresh_token"], access_lifetime=hour, refresh_lifetime=hour)
    provider = EmulatedQuickBooks(url, country="").provider
    async with provider.open() as client:
        access = GrantedAccess(client, grant, realm)
        facts = await client.read_company(access)
        yield Connected(provider, client, access, facts, await client.read_reference(access, facts))


async def priced(
    connected: Connected, code: TaxCode, amounts_are: Literal["exclusive", "inclusive"]
) -> InvoiceDocument:
    """An invoice of awkward amounts under one code, with the code's own rates at hand."""
    made = await an_invoice(connected, *((*amount, code) for amount in AMOUNTS), amounts_are=amounts_are)
    return replace(made, lines=tuple(replace(line, tax_components=code.components) for line in made.lines))


@pytest.mark.parametrize("scenario", ["uk-vat", "ie-vat", "au-gst", "ca-gst-pst", "us-classic", "multicurrency"])
async def test_total_there_is_ours_or_was_flagged_beforehand(emulator_url: str, scenario: str) -> None:
    arrived = 0
    async with books_of(emulator_url, scenario) as connected:
        codes = [code for code in connected.reference.tax_codes if code.is_active and code.percent is not None]
        for code, amounts_are in product(codes, BASES):
            document = await priced(connected, code, amounts_are)
            try:
                record = (await send(connected, document)).record
            except RejectedError as refusal:
                if refusal.cause is not CauseCode.TOTAL_WOULD_DIFFER:
                    raise
                assert predict_tax(document, connected.facts) != document.tax
                continue
            arrived += 1
            assert (record.total, record.tax) == (document.total, document.tax), (code.name, amounts_are)
    assert arrived >= len(codes)


async def test_automated_sales_tax_takes_ours_when_the_firm_wants_that(emulator_url: str) -> None:
    async with books_of(emulator_url, "us-ast") as connected:
        assert connected.facts.computes_tax_itself
        customer = a_customer(connected)
        address = replace(
            customer.address, line1="1 Market St", city="San Francisco", region="CA", postal_code="94105", country="US"
        )
        sent = (await send(connected, replace(customer, address=address))).record
        taxable = next(code for code in connected.reference.tax_codes if code.remote_id == "TAX")
        made = replace(await priced(connected, taxable, "exclusive"), customer_id=sent.remote_id)
        ours = replace(made, tax=Decimal("1.11"), total=made.net + Decimal("1.11"))
        theirs = (await send(connected, ours)).record
        assert theirs.tax not in (None, Decimal(0), ours.tax)
        record = (await send(connected, replace(ours, is_tax_ours=True), over=theirs)).record
        assert (record.tax, record.total) == (ours.tax, ours.total)


async def test_customer_in_another_currency_keeps_it_and_is_invoiced_in_it(emulator_url: str) -> None:
    async with books_of(emulator_url, "multicurrency") as connected:
        sent = (await send(connected, replace(a_customer(connected), currency="EUR"))).record
        assert sent.currency == "EUR"
        made = await an_invoice(connected)
        euros = replace(made, customer_id=sent.remote_id, currency="EUR")
        record = (await send(connected, euros)).record
        assert (record.total, record.customer_id) == (made.total, sent.remote_id)
        with pytest.raises(RejectedError):
            await send(connected, replace(made, number="", customer_id=sent.remote_id))
