"""A firm connected to QuickBooks, played by the emulator in a process of its own; and workers in theirs."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.db import connection

from cone.accounting.manage import read_manage
from cone.books.models import Connection
from cone.operations.actor import Actor
from cone.operations.connect_provider import finish_connecting, start_connecting
from cone.operations.save_accounts import save_accounts
from cone.operations.save_tax_mappings import save_tax_mappings
from tests.contract.emulated import CLIENT_ID, CLIENT_SECRET, EmulatedQuickBooks
from tests.contract.platform import REDIRECT_URI
from tests.integration.accounting.conftest import SESSION


class Control:
    """The emulator's control plane, as a test needs it."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_emulator"

    def post(self, path: str, body: object) -> dict[str, Any]:
        """Order something."""
        answer = httpx.post(self._url + path, json=body, timeout=10).raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def clear_faults(self) -> None:
        """What was ordered and hasn't struck doesn't any more."""
        httpx.delete(f"{self._url}/faults", timeout=10).raise_for_status()

    def requests(self, *, method: str = "POST", path: str = "") -> list[dict[str, Any]]:
        """The requests that it was sent, as it recorded them; an empty method means any."""
        given = {name: value for name, value in (("method", method), ("path", path)) if value}
        answer = httpx.get(f"{self._url}/requests", params=given, timeout=10)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["requests"]
        return found

    def records(self, entity: str) -> list[dict[str, Any]]:
        """What stands in the connected company's books."""
        realm = Connection.objects.get().company_id_remote
        answer = httpx.get(f"{self._url}/dump", params={"realm_id": realm, "entities": entity}, timeout=30)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["companies"][0]["entities"][entity]
        return found

    def act(self, action: str, entity: str, **more: object) -> dict[str, Any]:
        """Do what the bookkeeper does in QuickBooks."""
        realm = Connection.objects.get().company_id_remote
        return self.post("/act", {"realm_id": realm, "action": action, "entity": entity, **more})


def sign_in(actor: Actor, quickbooks: EmulatedQuickBooks) -> Mapping[str, str]:
    """Connect as a browser would; the query that it brought back."""
    url = start_connecting(actor, provider_key="quickbooks", session_key=SESSION, redirect_uri=REDIRECT_URI)
    query = asyncio.run(_consent(quickbooks, url))
    finish_connecting(actor, query=query, session_key=SESSION, redirect_uri=REDIRECT_URI)
    return query


async def _consent(quickbooks: EmulatedQuickBooks, url: str) -> Mapping[str, str]:
    return await quickbooks.consent(url)


def connect_and_configure(actor: Actor, quickbooks: EmulatedQuickBooks) -> Connection:
    """Sign in, map the rates as suggested, choose the first account."""
    sign_in(actor, quickbooks)
    manage = read_manage(actor.workspace.pk)
    save_tax_mappings(actor, {row.tax_rate_uuid: row.suggested_id for row in manage.rows})
    save_accounts(
        actor,
        deposit_account_id=manage.deposit_accounts[0].remote_id,
        income_account_id=manage.suggested_income_account_id,
    )
    return Connection.objects.get(workspace=actor.workspace, state="connected")


def start_worker(url: str, log: Path, *, timeout_seconds: int = 2) -> subprocess.Popen[bytes]:
    """`python -m cone.worker` on this test's database, which waits so long for an answer."""
    at = connection.settings_dict
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "cone.worker"],
            stderr=stream,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "cone.project.settings",
                "DATABASE_URL": address_of(at),
                "CONE_DATA_DIR": str(settings.DATA_DIR),
                "CONE_EMULATOR_URL": url,
                "CONE_EMULATOR_CLIENT_ID": CLIENT_ID,
                "CONE_EMULATOR_CLIENT_SECRET": CLIENT_SECRET,
                "QUICKBOOKS_REQUEST_TIMEOUT_SECONDS": str(timeout_seconds),
                "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS": str(2 * timeout_seconds),
            },
        )


def address_of(at: Mapping[str, Any]) -> str:
    """Django's settings of a database as one address."""
    password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
    port = f":{at['PORT']}" if at["PORT"] else ""
    if str(at["HOST"]).startswith("/"):
        return f"postgresql://{at['USER']}{password}@{port}/{at['NAME']}?host={at['HOST']}"
    return f"postgresql://{at['USER']}{password}@{at['HOST']}{port}/{at['NAME']}"
