"""No secret is kept or shown anywhere: tables, logs and pages are searched after all that happens to tokens.

Through the real adapter: tokens that end, are refused, rotate and are revoked, with faults that repeat them.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from psycopg import sql

from cone.accounting.keyring import unseal
from cone.books.models import Attempt, Connection, ConnectionTokens, Customer, Invoice, Link, OutboxRow, Revocation
from cone.operations.actor import Actor
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.pause_sync import pause_sync
from cone.operations.refresh_reference import SignInNeededError, refresh_reference
from cone.operations.resume_sync import resume_sync
from tests.builders import make_customer, make_invoice, make_payment
from tests.contract.emulated import CLIENT_ID, CLIENT_SECRET, EmulatedQuickBooks
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import MakeWorker, connect, is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure, sign_in, start_worker

pytestmark = pytest.mark.django_db(transaction=True)

_COLUMNS = """
select table_name, column_name, data_type from information_schema.columns
where table_schema = 'public' and data_type in ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY')
"""
_PAGES = ("dashboard", "invoices", "customers", "payments", "sync_history", "integrations", "manage", "preview", "runs")


def read_tables() -> dict[str, str]:
    """Every text, JSON and bytes column of the database, as text."""
    kept: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column, kind in cursor.fetchall():
            read = sql.SQL("encode({}, 'escape')") if kind == "bytea" else sql.SQL("{}::text")
            text = read.format(sql.Identifier(column))
            cursor.execute(sql.SQL("select string_agg({}, chr(10)) from {}").format(text, sql.Identifier(table)))
            kept[f"{table}.{column}"] = (cursor.fetchone() or ("",))[0] or ""
    return kept


def read_pages(actor: Actor) -> dict[str, str]:
    """What the owner is shown, of the connection and of every record."""
    browser = Client()
    browser.force_login(actor.user)
    addresses = [reverse(name) for name in _PAGES]
    addresses += [reverse("invoice", args=[invoice.uuid]) for invoice in Invoice.objects.all()]
    addresses += [reverse("customer", args=[customer.uuid]) for customer in Customer.objects.all()]
    pages = {address: browser.get(address, follow=True) for address in addresses}
    assert {page.status_code for page in pages.values()} == {200}
    return {address: page.content.decode() for address, page in pages.items()}


def find_leaks(texts: Mapping[str, str], secrets: Sequence[str]) -> list[str]:
    """Where a secret shows: as it is, cut off, in an address, or encoded as in a header."""
    forms = [
        form
        for secret in secrets
        for form in (
            secret[:20],
            quote(secret, safe="")[:20],
            *(b64encode(before + secret.encode()).decode()[4:24] for before in (b"", b"x", b"xx")),
            b64encode(f"{CLIENT_ID}:{secret}".encode()).decode(),
        )
    ]
    return sorted({name for name, text in texts.items() if any(form in text for form in forms)})


class Watch:
    """Collects what is to be searched, and for what: rows and tokens come and go."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.texts: dict[str, str] = {}
        self.secrets = {CLIENT_SECRET}

    def look(self, moment: str) -> None:
        """Take in everything as it is now."""
        for tokens in ConnectionTokens.objects.all():
            for sealed in (tokens.access_token, tokens.refresh_token):
                self._take_sealed(bytes(sealed))
        for revocation in Revocation.objects.all():
            self._take_sealed(bytes(revocation.token))
        found = read_tables() | read_pages(self._actor)
        self.texts |= {f"{moment}: {name}": text for name, text in found.items()}

    def _take_sealed(self, sealed: bytes) -> None:
        assert sealed.startswith(b"gAAAA")
        self.secrets.add(unseal(sealed))


@pytest.fixture
def watch(owner: Actor) -> Watch:
    return Watch(owner)


@contextmanager
def working(quickbooks: EmulatedQuickBooks, log: Path) -> Iterator[None]:
    """A worker in a process of its own, until the end of the block."""
    worker = start_worker(quickbooks.url, log)
    try:
        yield
    finally:
        worker.terminate()
        assert worker.wait(10) == 0


def end_and_refuse_tokens(owner: Actor, control: Control, watch: Watch, realm: str) -> None:
    """While records are sent."""
    # Ended, and the answer to it repeats the token; then one refused in the midst of sending.
    control.post("/tokens/expire", {"realm_id": realm})
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner), seconds=30)
    watch.look("refreshed")
    control.post("/faults", {"match": {"entity": "payment"}, "action": "expired_token", "count": 1})
    make_payment(owner, invoice)
    wait_until(lambda: Link.objects.filter(kind="payment").exists() and is_settled(owner), seconds=30)
    watch.look("refused once")

    # Refused even after a refresh: only a person helps.
    control.post("/faults", {"match": {"entity": "customer"}, "action": "expired_token", "count": 2})
    make_customer(owner, "Another")
    wait_until(Connection.objects.filter(state="needs_reconnect").exists, seconds=30)
    watch.look("refused for good")


def test_no_secret_is_in_any_table_log_or_page_whatever_happens_to_the_tokens(
    owner: Actor, quickbooks: EmulatedQuickBooks, watch: Watch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG")
    # The browser of these tests, not Cone, writes its addresses to the log.
    caplog.set_level("WARNING", logger="httpx")
    control, log = Control(quickbooks.url), tmp_path / "worker.log"
    control.post("/lifetimes", {"rotate_after_seconds": 0})
    active = connect_and_configure(owner, quickbooks)
    realm = active.company_id_remote
    watch.look("connected")

    with working(quickbooks, log):
        end_and_refuse_tokens(owner, control, watch, realm)
    [message] = {attempt.message for attempt in Attempt.objects.filter(verdict="reconnect")}
    assert "Token expired: [redacted]" in message

    query = sign_in(owner, quickbooks)
    watch.secrets |= {query["code"], query["state"]}
    watch.look("reconnected")

    # A dead sign-in that a page meets, and one whose revocation fails.
    control.post("/tokens/revoke", {"realm_id": realm})
    with pytest.raises(SignInNeededError):
        refresh_reference(owner)
    watch.look("disconnected there")
    sign_in(owner, quickbooks)
    watch.look("reconnected again")
    control.post("/faults", {"match": {"path": "/v2/oauth2/tokens/revoke"}, "action": {"status": 503}, "count": 1})
    disconnect_provider(owner)
    assert Revocation.objects.count() == 1
    watch.look("disconnected here")
    with working(quickbooks, log):
        wait_until(lambda: not Revocation.objects.exists(), seconds=40)
    watch.look("revoked")

    watch.texts |= {"log of the worker": log.read_text(), "log of the pages": caplog.text}
    assert "worker stopped" in watch.texts["log of the worker"]
    assert len(watch.secrets) >= 10
    assert find_leaks(watch.texts, sorted(watch.secrets)) == []


@pytest.mark.parametrize("form", ["plain", "cut", "address", "header"])
def test_search_finds_what_is_planted(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, form: str) -> None:
    """The canary: in a text, in JSON, in bytes, and on a page."""
    connect(owner, ledger)
    make_worker()
    customer = make_customer(owner)
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    secret = "eyJlbmMiOiJBMTI4+/Q0JD.ABC~DEF_not-a-real-token"
    planted = {
        "plain": f"Token expired: {secret}",
        "cut": secret[:24],
        "address": quote(secret, safe=""),
        "header": b64encode(f"{CLIENT_ID}:{secret}".encode()).decode(),
    }[form]
    assert find_leaks(read_tables() | read_pages(owner), [secret]) == []
    Connection.objects.update(state="read_only", state_reason=planted)
    Attempt.objects.update(body=json.dumps({"notes": planted}).encode(), message=planted)
    pause_sync(owner)
    resume_sync(owner)
    OutboxRow.objects.create(
        company_id=Connection.objects.get().company_id,
        kind="customer",
        record_uuid=customer.uuid,
        wanted_revision=9,
        state="blocked",
        cause_key=f"refused:{customer.uuid}",
        cause={"code": "refused", "params": {"says": planted}},
        blocked_settings_revision=99,
    )
    leaks = find_leaks(read_tables() | read_pages(owner), [secret])
    assert {"books_connection.state_reason", "books_attempt.body", "books_attempt.message"} <= set(leaks)
    assert "books_outboxrow.cause" in leaks
    assert reverse("customer", args=[customer.uuid]) in leaks
