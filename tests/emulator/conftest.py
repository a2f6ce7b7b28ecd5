"""One emulator for the whole run, reset for each test that wants a company."""

from collections.abc import Iterator

import pytest

from tests.emulator.running import Company, Running, open_client, start, stop


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    process, base = start()
    yield base
    assert stop(process) == 0


@pytest.fixture
def emulator(server: str) -> Iterator[Running]:
    with open_client(server) as http:
        running = Running(server, http)
        running.reset("uk-vat")
        yield running


@pytest.fixture
def uk(emulator: Running) -> Company:
    """A connected UK company with VAT."""
    return emulator.company(emulator.reset("uk-vat")[0]["realm_id"])


@pytest.fixture
def us(emulator: Running) -> Company:
    """The connected US sample company."""
    return emulator.company(emulator.reset("us-sample")[0]["realm_id"])
