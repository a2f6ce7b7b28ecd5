"""A firm under test: its owner, what it chose in its connection, and the way back to it."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.error import URLError
from uuid import UUID

from django.db import connection

from bench.faults.sign_in import REDIRECT_URI, SignInError, sign_in
from bench.firms import connected_firm
from bench.stand import Emulator
from cone.accounting.manage import read_manage
from cone.accounting.port.documents import Kind
from cone.books.models import Connection, Service, TaxRate
from cone.domain.errors import RefusalError
from cone.domain.services import ServiceInput
from cone.operations.actor import Actor
from cone.operations.connect_provider import AlreadyConnectedError, finish_connecting, start_connecting
from cone.operations.refresh_reference import refresh_reference
from cone.operations.resume_sync import resume_sync
from cone.operations.save_accounts import save_accounts
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.save_service import save_service
from cone.operations.save_tax_mappings import save_tax_mappings
from cone.operations.sync_now import sync_record

# Between the end of a connection and the beginning of the next.
_MADE_APART = """
with apart as (
    select c.disconnected_at as since,
        coalesce((select min(n.connected_at) from books_connection n
                  where n.workspace_id = c.workspace_id and n.connected_at > c.disconnected_at), now()) as until
    from books_connection c where c.workspace_id = %(workspace)s and c.state = 'disconnected'),
made as (
    select 'customer' as kind, uuid, created_at as at from books_customer where workspace_id = %(workspace)s
    union all select 'invoice', uuid, issued_at from books_invoice
        where workspace_id = %(workspace)s and status = 'issued'
    union all select 'payment', uuid, created_at from books_payment
        where workspace_id = %(workspace)s and voided_at is null)
select kind, uuid from made
where exists (select from apart where made.at between apart.since and apart.until)
    and not exists (select from books_link l where l.record_uuid = made.uuid)
    and not exists (select from books_outboxrow o where o.record_uuid = made.uuid)
order by at
"""


class Door:
    """Many may be in a firm at once; who disconnects it goes alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._is_alone = False

    @contextmanager
    def shared(self) -> Iterator[bool]:
        """Whether one may come in: not while somebody is alone in there."""
        with self._changed:
            may_enter = not self._is_alone
            self._inside += may_enter
        try:
            yield may_enter
        finally:
            with self._changed:
                self._inside -= may_enter
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether one is alone: not where somebody else already is."""
        with self._changed:
            is_mine = not self._is_alone
            if is_mine:
                self._is_alone = True
                self._changed.wait_for(lambda: not self._inside)
        try:
            yield is_mine
        finally:
            if is_mine:
                with self._changed:
                    self._is_alone = False
                    self._changed.notify_all()


@dataclass
class Firm:
    """A firm and what its people remember of their work."""

    actor: Actor
    realm_id: str
    policy: str
    deposit_account_id: str
    income_account_id: str
    own_accounts: dict[UUID, str]
    services: list[UUID]
    codes: dict[UUID, str]
    customers: list[UUID] = field(default_factory=list)
    invoices: list[UUID] = field(default_factory=list)
    payments: list[UUID] = field(default_factory=list)
    door: Door = field(default_factory=Door)

    @property
    def rates(self) -> list[UUID]:
        """The rates that are mapped."""
        return list(self.codes)

    def choose(self) -> None:
        """Make the firm's choices in a connection that has none. Raises refusals.

        The usual accounts last: nothing is sent without them, and what has an account of its own mustn't go to them.
        """
        save_tax_mappings(self.actor, self.codes)
        save_removal_policy(self.actor, self.policy)
        _give_own_accounts(self)
        save_accounts(self.actor, deposit_account_id=self.deposit_account_id, income_account_id=self.income_account_id)

    def find_connection(self) -> Connection | None:
        """The connection that isn't ended."""
        return Connection.objects.filter(workspace=self.actor.workspace).exclude(state="disconnected").first()

    def is_cut_off(self) -> bool:
        """Whether only a sign-in helps."""
        active = self.find_connection()
        return active is None or active.state == "needs_reconnect"

    def connect(self) -> bool:
        """Sign in there and make the choices again; whether it came to that. Raises refusals of the choices."""
        session = f"session of {self.actor.user.pk}"
        try:
            url = start_connecting(
                self.actor, provider_key="quickbooks", session_key=session, redirect_uri=REDIRECT_URI
            )
            query = sign_in(url, realm_id=self.realm_id)
            finish_connecting(self.actor, query=query, session_key=session, redirect_uri=REDIRECT_URI)
        except AlreadyConnectedError:
            return True
        except (RefusalError, SignInError, URLError, OSError):
            return False
        self.choose()
        return True

    def ensure_running(self) -> bool:
        """Bring the connection to work again, whatever ended or holds it; whether it's there."""
        active = self.find_connection()
        if (active is None or active.state == "needs_reconnect") and not self.connect():
            return False
        active = self.find_connection()
        if active is None or active.state not in ("connected", "read_only"):
            return False
        if not active.deposit_account_id:
            refresh_reference(self.actor)
            self.choose()
        if active.paused_at is not None:
            resume_sync(self.actor)
        return True

    def send_what_was_made_apart(self) -> None:
        """Send by name what was made while nothing was connected: nothing asked for it then. Raises refusals."""
        for kind, uuid in self._list_made_apart():
            sync_record(self.actor, kind, uuid)

    def _list_made_apart(self) -> list[tuple[Kind, UUID]]:
        with connection.cursor() as cursor:
            cursor.execute(_MADE_APART, {"workspace": self.actor.workspace.pk})
            made: list[tuple[Kind, UUID]] = cursor.fetchall()
            return made


def open_firm(emulator: Emulator, realm_id: str, *, policy: str, chance: random.Random) -> Firm:
    """A connected firm with three services, one of which posts to an account of its own.

    One of them it had before it connected, so that the lists say that its item is missing; the others came since.
    """
    actor, active = connected_firm(emulator, realm_id=realm_id)
    manage = read_manage(actor.workspace.pk)
    incomes = [account.remote_id for account in manage.income_accounts if account.remote_id != active.income_account_id]
    codes = dict(active.tax_mappings.values_list("tax_rate__uuid", "remote_id"))
    percents = dict(TaxRate.objects.filter(uuid__in=codes).values_list("percent", "uuid"))
    firm = Firm(
        actor=actor,
        realm_id=active.company_id_remote,
        policy=policy,
        deposit_account_id=active.deposit_account_id,
        income_account_id=active.income_account_id,
        own_accounts={},
        services=[],
        codes=codes,
    )
    before = dict(Service.objects.filter(workspace=actor.workspace).values_list("name", "uuid"))
    for name, percent in (("Bookkeeping", 20), ("Advice", 5), ("Training", 0)):
        typed = ServiceInput(
            name=name, unit_price=Decimal(chance.randrange(50, 200)), tax_rate=percents[Decimal(percent)]
        )
        firm.services.append(save_service(actor, typed, uuid=before.get(name)).uuid)
    firm.own_accounts[firm.services[1]] = chance.choice(incomes)
    firm.choose()
    return firm


def _give_own_accounts(firm: Firm) -> None:
    for service in Service.objects.filter(uuid__in=firm.own_accounts).select_related("tax_rate"):
        typed = ServiceInput(
            name=service.name,
            description=service.description,
            unit_price=service.unit_price,
            tax_rate=service.tax_rate.uuid if service.tax_rate else None,
        )
        save_service(firm.actor, typed, uuid=service.uuid, income_account_id=firm.own_accounts[service.uuid])
