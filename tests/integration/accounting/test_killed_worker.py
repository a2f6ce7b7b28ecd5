"""The real thing: a worker process killed with SIGKILL between send and commit, against the emulator in its own."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from cone.accounting.keyring import unseal
from cone.books.models import Attempt, Connection, ConnectionTokens, Link
from cone.operations.actor import Actor
from tests.builders import make_invoice
from tests.contract.emulated import EmulatedQuickBooks
from tests.integration.accounting.conftest import is_settled, wait_until
from tests.integration.accounting.emulation import connect_and_configure, start_worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_killed_between_send_and_commit_twice_makes_one_invoice(
    owner: Actor, quickbooks: EmulatedQuickBooks, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with httpx.Client(base_url=f"{quickbooks.url}/_emulator", timeout=10) as control:

        def posts() -> list[Mapping[str, Any]]:
            found = control.get("/requests", params={"method": "POST", "path": "/invoice"}).json()["requests"]
            return [entry for entry in found if entry["path"].endswith("/invoice")]

        connect_and_configure(owner, quickbooks)
        realm = Connection.objects.get().company_id_remote

        def invoices() -> list[Mapping[str, Any]]:
            company = control.get("/dump", params={"realm_id": realm}).json()["companies"][0]
            found: list[Mapping[str, Any]] = company["entities"]["Invoice"]
            return found

        present = len(invoices())
        invoice = make_invoice(owner, is_issued=True)
        # The first is never done, the second after its worker is dead.
        for kill, action in enumerate(("hang_before", {"latency_ms": 700}), start=1):
            fault = {"match": {"entity": "invoice", "method": "POST"}, "action": action, "count": 1}
            control.post("/faults", json=fault).raise_for_status()
            worker = start_worker(quickbooks.url, log)
            try:
                wait_until(lambda kill=kill: len(posts()) == kill, seconds=30)  # type: ignore[misc]  # a lambda's default has no type to infer
            finally:
                worker.kill()
                worker.wait(10)
            assert Attempt.objects.get(kind="invoice").state == "unknown"
        wait_until(lambda: len(invoices()) == present + 1)
        assert not Link.objects.filter(kind="invoice").exists()

        worker = start_worker(quickbooks.url, log)
        try:
            wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner), seconds=30)
        finally:
            worker.terminate()
            assert worker.wait(10) == 0

        assert len(invoices()) == present + 1
        (mine,) = [each for each in invoices() if each.get("DocNumber") == invoice.number]
        assert str(invoice.uuid) in mine["PrivateNote"]
        assert Decimal(str(mine["TotalAmt"])) == Decimal("120.00")
        assert Link.objects.get(kind="invoice").remote_id == mine["Id"]
        sends = posts()
        assert len({entry["query"]["requestid"] for entry in sends}) == 1
        assert len({str(entry["body"]) for entry in sends}) == 1
        attempt = Attempt.objects.get(kind="invoice")
        assert (len(sends), attempt.sends, attempt.state, attempt.verdict) == (2, 2, "succeeded", "found")
        tokens = ConnectionTokens.objects.get()
        written = log.read_text()
        assert "worker stopped" in written
        for secret in (tokens.access_token, tokens.refresh_token):
            assert unseal(bytes(secret)) not in written
