"""Names and numbers by the port: who has a name, and invoices that the provider numbers."""

from uuid import uuid4

import pytest

from cone.accounting.port.verdicts import CauseCode, RejectedError
from cone.kit.values import replace

from .platform import Connected
from .writing import a_customer, an_invoice, send


async def test_namesakes_are_found_with_what_tells_them_apart(connected: Connected) -> None:
    name = f"Acme's {uuid4()}"
    first = (await send(connected, a_customer(connected, name=name))).record
    second = replace(a_customer(connected, name=f"{name} (2)"), email="other@example.com")
    await send(connected, second)
    names = [name, f"{name} (2)", f"{name} (3)"]
    found = await connected.client.find_namesakes(connected.access, "customer", names)
    assert [(each.entity, each.name, each.email, each.is_active) for each in found] == [
        ("customer", name, "zoe@example.com", True),
        ("customer", f"{name} (2)", "other@example.com", True),
    ]
    assert (found[0].remote_id, found[0].version, found[0].currency) == (
        first.remote_id,
        first.version,
        connected.facts.home_currency,
    )
    assert await connected.client.find_namesakes(connected.access, "vendor", names) == ()
    assert await connected.client.find_namesakes(connected.access, "employee", names) == ()


async def test_customers_are_listed_by_the_beginning_of_a_name_or_by_their_address(connected: Connected) -> None:
    name = f"Zo\\ o's 5% {uuid4()}"
    address = f"{uuid4()}@example.com"
    for suffix, email in (("", address), (" Ltd", ""), (" Group", "")):
        await send(connected, replace(a_customer(connected, name=f"{name}{suffix}"), email=email))

    async def names(typed: str, *, most: int = 10) -> list[str]:
        found = await connected.client.list_customers(connected.access, typed, most=most)
        return [each.name for each in found]

    assert await names(name) == [name, f"{name} Ltd", f"{name} Group"]
    assert await names(f"{name} g".upper()) == [f"{name} Group"]
    assert await names(address.upper()) == [name]
    assert len(await names(name, most=2)) == 2
    assert await names(f"{name} Ltd. & Co") == []
    assert await names("%") == []
    assert await names(f"nobody-{address}") == []


async def test_second_customer_of_a_name_is_refused_as_that(connected: Connected) -> None:
    name = f"Acme {uuid4()}"
    await send(connected, a_customer(connected, name=name))
    with pytest.raises(RejectedError) as caught:
        await send(connected, a_customer(connected, name=name))
    assert caught.value.cause is CauseCode.NAME_TAKEN


async def test_invoice_without_a_number_is_numbered_there_and_keeps_it(connected: Connected) -> None:
    document = replace(await an_invoice(connected), number="")
    made = (await send(connected, document)).record
    assert made.number
    updated = (await send(connected, replace(document, memo="Changed"), over=made)).record
    assert updated.number == made.number
    again = replace(await an_invoice(connected), number="")
    assert (await send(connected, again)).record.number not in ("", None, made.number)
    found = await connected.client.find(connected.access, document)
    assert found is not None
    assert (found.remote_id, found.marker) == (made.remote_id, str(document.uuid))
