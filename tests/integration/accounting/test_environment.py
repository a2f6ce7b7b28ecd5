"""A connection outlives a change of configuration: nothing of it goes to another environment."""

from collections.abc import Callable

import pytest

from cone.books.models import Connection
from cone.operations.actor import Actor
from cone.operations.refresh_reference import RefreshFailedError, refresh_reference
from tests.builders import make_customer
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import Worker, configure, connect, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_other_environment_makes_the_connection_read_only_until_it_is_restored(
    owner: Actor, ledger: FakeLedger, make_worker: Callable[[], Worker]
) -> None:
    connect(owner, ledger)
    configure(owner)
    # Another configuration means a restart: the worker has never known the old one.
    ledger.environment = "production"
    make_worker()
    make_customer(owner, "Not For Production")
    wait_until(lambda: Connection.objects.get().state == "read_only")
    assert ledger.sent == []
    assert "connected in the emulator" in Connection.objects.get().state_reason
    with pytest.raises(RefreshFailedError, match="configured for the production"):
        refresh_reference(owner)

    ledger.environment = "emulator"
    refresh_reference(owner)
    wait_until(lambda: ledger.records("customer") and is_settled(owner))
    assert ledger.count_sends("customer") == 1
