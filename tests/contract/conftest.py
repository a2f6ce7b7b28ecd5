"""The platforms that the port's suite runs over."""

from collections.abc import AsyncIterator, Iterator

import pytest

from .emulated import EmulatedQuickBooks, running_emulator
from .platform import Connected, FakePlatform, GrantedAccess, Platform, connect


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    with running_emulator() as url:
        yield url


@pytest.fixture(params=["fake", "quickbooks-gb", "quickbooks-us"])
def platform(request: pytest.FixtureRequest) -> Platform:
    if request.param == "fake":
        return FakePlatform()
    url: str = request.getfixturevalue("emulator_url")
    return EmulatedQuickBooks(url, country=request.param.rpartition("-")[2].upper())


@pytest.fixture
async def connected(platform: Platform) -> AsyncIterator[Connected]:
    async with platform.provider.open() as client:
        grant, company_id = await connect(platform, client)
        access = GrantedAccess(client, grant, company_id)
        facts = await client.read_company(access)
        reference = await client.read_reference(access, facts)
        yield Connected(platform.provider, client, access, facts, reference)
