"""What every page of the frame shows: navigation, firm, person, and the one banner that matters most."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from cone.accounting.overview import find_connection
from cone.accounting.values import ConnectionView
from cone.books.models import Workspace
from cone.domain.permissions import Permission, may
from cone.operations.actor import Actor
from cone.web.formats import show_day, show_number
from cone.web.whose import who_is

_NAV = (
    ("dashboard", "Dashboard", "dashboard"),
    ("invoices", "Invoices", "invoice"),
    ("payments", "Payments", "payment"),
    ("customers", "Customers", "customers"),
    ("services", "Services", "services"),
)
_ROLE_LABELS = {"owner": "Owner", "biller": "Biller", "bookkeeper": "Bookkeeper"}


@dataclass(frozen=True, slots=True)
class NavItem:
    label: str
    url: str
    glyph: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Banner:
    tone: str
    glyph: str
    text: str
    action: str
    url: str


class Page:
    """Read lazily: a partial that shows none of it costs none of its queries."""

    def __init__(self, request: HttpRequest, actor: Actor) -> None:
        self._path = request.path
        self._actor = actor

    @property
    def firm_name(self) -> str:
        return self._actor.workspace.name

    @property
    def currency(self) -> str:
        return self._actor.workspace.currency

    @property
    def user_name(self) -> str:
        return str(self._actor.user)

    @property
    def who(self) -> str:
        """Whose page it is."""
        return who_is(self._actor)

    @property
    def role_label(self) -> str:
        return _ROLE_LABELS[self._actor.role]

    def may(self, permission: Permission) -> bool:
        return may(self._actor.role, permission)

    @property
    def may_invoice(self) -> bool:
        return may(self._actor.role, Permission.INVOICING)

    @property
    def may_change_settings(self) -> bool:
        return may(self._actor.role, Permission.SETTINGS)

    @property
    def may_integrate(self) -> bool:
        return may(self._actor.role, Permission.INTEGRATIONS)

    @property
    def may_manage_team(self) -> bool:
        return may(self._actor.role, Permission.TEAM)

    @cached_property
    def nav(self) -> tuple[NavItem, ...]:
        return tuple(
            NavItem(label, reverse(name), glyph, self._is_current(reverse(name))) for name, label, glyph in _NAV
        )

    def _is_current(self, url: str) -> bool:
        return self._path == url or (url != "/" and self._path.startswith(f"{url}/"))

    @cached_property
    def other_firms(self) -> tuple[Workspace, ...]:
        mine = Workspace.objects.filter(memberships__user=self._actor.user).exclude(pk=self._actor.workspace.pk)
        return tuple(mine.order_by("name"))

    @cached_property
    def connection(self) -> ConnectionView | None:
        return find_connection(self._actor.workspace.pk)

    @cached_property
    def banner(self) -> Banner | None:
        return make_banner(self.connection) if self.connection else None


def make_banner(connection: ConnectionView) -> Banner | None:
    """The most urgent thing about the connection, if anything is."""
    url = reverse("integrations")
    waiting = f" {show_number(connection.waiting_count)} waiting; nothing is lost." if connection.waiting_count else ""
    name = connection.provider_name
    paused = " The sync is paused, too: resume it afterwards." if connection.is_paused else ""
    if connection.state == "needs_reconnect":
        text = f"{name} needs you to connect again. Your settings are kept.{paused}{waiting}"
        return Banner("bad", "alert", text, "Reconnect", url)
    if connection.state == "read_only":
        # Mostly the provider's own words, which may end anyhow.
        reason = (connection.state_reason or "its settings refuse it").rstrip(". ")
        text = f"Nothing can be sent to {name}: {reason}.{paused}{waiting}"
        return Banner("warn", "alert", text, "See what to do", url)
    if connection.is_paused:
        return Banner("idle", "held", f"Sync with {name} is paused.{waiting}", "Integrations", url)
    if connection.held and connection.held_until:
        until = show_day(connection.held_until.date())
        if connection.held == "reads":
            text = (
                f"The monthly allowance of reads and batches of {name} is used up. Until {until} records go one at a "
                "time; what has to be looked up there first waits."
            )
        else:
            text = f"The monthly allowance of requests to {name} is used up, so nothing goes until {until}.{waiting}"
        return Banner("warn", "clock", text, "See what to do", url)
    return None


def page_of(request: HttpRequest) -> Page | None:
    """The frame of this request's page, made once; None for people without a firm."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return None
    if not hasattr(request, "page"):
        request.page = Page(request, actor)  # type: ignore[attr-defined]  # ours alone
    made: Page = request.page  # type: ignore[attr-defined]  # as above
    return made


def connection_of(request: HttpRequest) -> ConnectionView | None:
    """The firm's connection, read once per request: the banner and the page's content both want it."""
    made = page_of(request)
    return made.connection if made else None


def page(request: HttpRequest) -> dict[str, Any]:
    """The context processor named in settings."""
    return {"page": page_of(request)}
