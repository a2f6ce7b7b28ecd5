"""The real thing: a worker process killed with SIGKILL between send and commit, against the emulator in its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from cone.accounting.keyring import unseal
from cone.accounting.manage import read_manage
from cone.accounting.registry import get_provider, register
from cone.books.models import Attempt, Connection, ConnectionTokens, Link
from cone.operations.actor import Actor
from cone.operations.connect_provider import finish_connecting, start_connecting
from cone.operations.save_accounts import save_accounts
from cone.operations.save_tax_mappings import save_tax_mappings
from tests.builders import make_invoice
from tests.contract.emulated import CLIENT_ID, CLIENT_SECRET, EmulatedQuickBooks, running_emulator
from tests.contract.platform import REDIRECT_URI
from tests.integration.accounting.conftest import SESSION, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quickbooks() -> Iterator[EmulatedQuickBooks]:
    """QuickBooks by the emulator, in the place of the installation's own."""
    usual = get_provider("quickbooks")
    with running_emulator() as url:
        emulated = EmulatedQuickBooks(url, country="GB")
        register(emulated.provider)
        yield emulated
    register(usual)


def start_worker(url: str, log: Path) -> subprocess.Popen[bytes]:
    """`python -m cone.worker` on this test's database."""
    at = connection.settings_dict
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "cone.worker"],
            stderr=stream,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "cone.project.settings",
                "DATABASE_URL": _address(at),
                "CONE_DATA_DIR": str(settings.DATA_DIR),
                "CONE_EMULATOR_URL": url,
                "CONE_EMULATOR_CLIENT_ID": CLIENT_ID,
                "CONE_EMULATOR_CLIENT_SECRET": CLIENT_SECRET,
                "QUICKBOOKS_REQUEST_TIMEOUT_SECONDS": "2",
            },
        )


def _address(at: Mapping[str, Any]) -> str:
    password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
    port = f":{at['PORT']}" if at["PORT"] else ""
    if str(at["HOST"]).startswith("/"):
        return f"postgresql://{at['USER']}{password}@{port}/{at['NAME']}?host={at['HOST']}"
    return f"postgresql://{at['USER']}{password}@{at['HOST']}{port}/{at['NAME']}"


def connect_and_configure(actor: Actor, quickbooks: EmulatedQuickBooks) -> None:
    url = start_connecting(actor, provider_key="quickbooks", session_key=SESSION, redirect_uri=REDIRECT_URI)
    query = asyncio.run(_consent(quickbooks, url))
    finish_connecting(actor, query=query, session_key=SESSION, redirect_uri=REDIRECT_URI)
    manage = read_manage(actor.workspace.pk)
    save_tax_mappings(actor, {row.tax_rate_uuid: row.suggested_id for row in manage.rows})
    save_accounts(
        actor,
        deposit_account_id=manage.deposit_accounts[0].remote_id,
        income_account_id=manage.suggested_income_account_id,
    )


async def _consent(quickbooks: EmulatedQuickBooks, url: str) -> Mapping[str, str]:
    return await quickbooks.consent(url)


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
        # Every answer to the first two comes late: the worker is dead before it.
        fault = {"match": {"entity": "invoice", "method": "POST"}, "action": {"latency_ms": 700}, "count": 2}
        control.post("/faults", json=fault).raise_for_status()
        invoice = make_invoice(owner, is_issued=True)
        for kill in (1, 2):
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
        assert (len(sends), attempt.sends, attempt.state) == (3, 3, "succeeded")
        tokens = ConnectionTokens.objects.get()
        written = log.read_text()
        assert "worker stopped" in written
        for secret in (tokens.access_token, tokens.refresh_token):
            assert unseal(bytes(secret)) not in written
