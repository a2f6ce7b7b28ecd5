"""The worker as a process: what its operator reads in its log."""

from pathlib import Path

import pytest

from tests.contract.emulated import EmulatedQuickBooks
from tests.integration.accounting.conftest import wait_until
from tests.integration.accounting.emulation import start_worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_says_what_is_wrong_with_its_settings(quickbooks: EmulatedQuickBooks, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    worker = start_worker(quickbooks.url, log, timeout_seconds=0)
    try:
        wait_until(lambda: "worker ready" in log.read_text(), seconds=30)
    finally:
        worker.terminate()
        assert worker.wait(20) == 0
    assert "QuickBooks Online can't be used: QUICKBOOKS_REQUEST_TIMEOUT_SECONDS" in log.read_text()
