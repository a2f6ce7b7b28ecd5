"""What templates need beyond Django's own: figures, dates, glyphs, states, fields."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django import template
from django.forms import BoundField
from django.http import QueryDict
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cone.accounting.runs.values import RunRow
from cone.books.amounts import show_money, show_price
from cone.domain.permissions import Permission
from cone.kit.money import Money
from cone.operations.codes import list_countries
from cone.web import formats
from cone.web.context import Page
from cone.web.icons import draw_glyph, draw_mark
from cone.web.states import INVOICE_STATES, SYNC_STATES, StateSign, sign_of_run

register = template.Library()


@register.filter
def money(amount: Money | None) -> str:
    """Money with its currency sign; a dash when there is none."""
    return "–" if amount is None else show_money(amount)


@register.filter
def price(value: Decimal, currency: str) -> str:
    """A price per unit: the currency's decimals, or more where the price has more."""
    return show_price(value, currency)


@register.filter
def percent(number: Decimal | None) -> str:
    return "–" if number is None else formats.show_percent(number)


@register.filter
def number(value: Decimal | int) -> str:
    """A bare number in groups of three: 1,250.5."""
    return formats.show_number(value)


@register.filter
def rate(value: Decimal) -> str:
    """An exchange rate with all its decimals."""
    return formats.show_rate(value)


@register.filter
def day(value: date | None) -> str:
    return "–" if value is None else formats.show_day(value)


@register.filter
def moment(value: datetime | None) -> str:
    return "never" if value is None else formats.show_moment(value)


@register.filter
def ago(value: datetime | None) -> str:
    return "never" if value is None else formats.show_ago(value, now=timezone.now())


@register.filter
def ahead(value: datetime) -> str:
    """How soon: "now", "in 25 s", "in 2 min"."""
    return formats.show_ahead(value, now=timezone.now())


@register.filter
def lasting(value: timedelta) -> str:
    """How long, roughly: "less than a minute", "about 7 min", "about 2 h 5 min"."""
    return formats.show_lasting(value)


@register.filter
def country(code: str) -> str:
    """The country's name."""
    return dict(list_countries()).get(code, code)


@register.filter
def allows(page: Page, permission: Permission) -> bool:
    """Whether the person at the page may do that."""
    return page.may(permission)


@register.filter
def initials(name: str) -> str:
    """Two letters for an avatar: Ana Sofía → AS, ana@firm.example → AN."""
    words = [word for word in name.split("@", maxsplit=1)[0].replace(".", " ").split() if word[0].isalnum()]
    letters = words[0][:2] if len(words) == 1 else "".join(word[0] for word in (words[:1] + words[-1:]))
    return (letters or "?").upper()


@register.simple_tag
def glyph(name: str, size: int = 16, css: str = "") -> SafeString:
    return mark_safe(draw_glyph(name, size=size, extra_class=css))  # noqa: S308  # our own constant drawings


@register.simple_tag
def mark(size: int = 22) -> SafeString:
    return mark_safe(draw_mark(size))  # noqa: S308  # as above


@register.inclusion_tag("parts/state.html")
def sync_state(state: str, chip: bool = False) -> dict[str, StateSign | bool]:
    return {"sign": SYNC_STATES[state], "is_chip": chip}


@register.inclusion_tag("parts/state.html")
def invoice_state(state: str, chip: bool = False) -> dict[str, StateSign | bool]:
    return {"sign": INVOICE_STATES[state], "is_chip": chip}


@register.inclusion_tag("parts/state.html")
def run_state(run: RunRow) -> dict[str, StateSign | bool]:
    """The same words for a run on its page, under Manage and in the list."""
    return {"sign": sign_of_run(run), "is_chip": False}


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, hint: str = "", hide_label: bool = False) -> dict[str, Any]:
    """A label, its control, and beside it the hint or what is wrong."""
    return {"field": bound, "hint": hint or bound.help_text, "hide_label": hide_label}


@register.inclusion_tag("parts/control.html")
def control(bound: BoundField) -> dict[str, Any]:
    """Only the control, for a cell that has its label in the table's head and its errors in the row below."""
    return {"field": bound}


@register.simple_tag(takes_context=True)
def once(context: Context) -> SafeString:
    """The token of a form that makes a record: the same after a refusal, another on another page."""
    try:
        token = UUID(context["request"].POST.get("once", ""))
    except ValueError:
        token = uuid4()
    return format_html('<input type="hidden" name="once" value="{}">', token)


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: object) -> str:
    """This page's query string with some values changed; an empty value drops the key."""
    query: QueryDict = context["request"].GET.copy()
    for key, value in changes.items():
        if value in ("", None):
            query.pop(key, None)
        else:
            query[key] = str(value)
    text = query.urlencode()
    return f"?{text}" if text else "?"
