"""Where things are: a record's page, and the page where a cause is mended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.urls import reverse

from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.values import ActionTarget, Cause
from cone.domain.permissions import Permission


def record_url(kind: Kind, uuid: UUID) -> str:
    """The page of a record; a service's is its form."""
    return reverse(f"{kind}_edit" if kind == "service" else kind, args=[uuid])


_TARGETS: Mapping[ActionTarget, Callable[[UUID | None], str]] = {
    "tax_mapping": lambda uuid: f"{reverse('manage')}#rate-{uuid}" if uuid else f"{reverse('manage')}#tax",
    "accounts": lambda _: f"{reverse('manage')}#accounts",
    "lists": lambda _: f"{reverse('manage')}#lists",
    "terms": lambda _: f"{reverse('manage')}#terms",
    "customer": lambda uuid: record_url("customer", uuid) if uuid else reverse("customers"),
    "customer_form": lambda uuid: reverse("customer_edit", args=[uuid]) if uuid else reverse("customers"),
    "invoice": lambda uuid: record_url("invoice", uuid) if uuid else reverse("invoices"),
    "service": lambda uuid: record_url("service", uuid) if uuid else reverse("services"),
    "payment": lambda uuid: record_url("payment", uuid) if uuid else reverse("payments"),
    "connection": lambda _: reverse("integrations"),
    "none": lambda _: "",
}


def is_voided_here(cause: Cause) -> bool:
    """Whether the record is void in Cone and a person has to remove it there."""
    return cause.key.partition(":")[0] == CauseCode.VOIDED_HERE.value


@dataclass(frozen=True, slots=True)
class Mending:
    """Where a cause is mended, what the act is called, and what one must be allowed for it.

    `service_url` is the form of the service whose own income account may be what is wrong; empty for other causes.
    """

    url: str
    action: str
    needs: Permission
    service_url: str = ""


_NEEDS: Mapping[ActionTarget, Permission] = {
    "tax_mapping": Permission.INTEGRATIONS,
    "accounts": Permission.INTEGRATIONS,
    "lists": Permission.INTEGRATIONS,
    "terms": Permission.INTEGRATIONS,
    "service": Permission.SETTINGS,
    "customer_form": Permission.INVOICING,
}
# What a change of the invoice or payment itself can mend.
_MENDED_BY_EDITING = frozenset(
    {
        CauseCode.PERIOD_CLOSED,
        CauseCode.CUSTOMER_CURRENCY_DIFFERS,
        CauseCode.TOO_MANY_LINES,
        CauseCode.TAX_CODES_MIXED,
        CauseCode.TOTAL_WOULD_DIFFER,
        CauseCode.TOTAL_DIFFERS,
        CauseCode.REFERENCE_TOO_LONG,
        CauseCode.REFUSED,
    }
)


def find_mending(cause: Cause) -> Mending | None:
    """The one act that mends a cause; None where nothing in Cone does."""
    url = _TARGETS[cause.target](cause.target_uuid)
    if not url:
        return None
    service_url = record_url("service", cause.own_account_of) if cause.own_account_of else ""
    needs = Permission.INVOICING if cause.is_customer_lost else _NEEDS.get(cause.target, Permission.READ)
    return Mending(url, cause.action, needs, service_url)


def find_mending_from(kind: Kind, uuid: UUID, cause: Cause, *, is_void: bool = False) -> Mending | None:
    """The same, seen from a record's own page: a link to where one is already helps nobody, one to its form does.

    A void record has no form any more: what stops its removal is mended in the accounting software. A lost customer's
    form mends nothing either: what it is there now is chosen with the cause itself.
    """
    if cause.own_account_of == uuid:
        cause = replace(cause, own_account_of=None)
    if cause.is_customer_lost or (cause.target, cause.target_uuid) != (kind, uuid):
        return find_mending(cause)
    if kind == "customer":
        return Mending(reverse("customer_edit", args=[uuid]), cause.action, Permission.INVOICING)
    if kind in ("invoice", "payment") and not is_void and cause.key.partition(":")[0] in _MENDED_BY_EDITING:
        return Mending(reverse(f"{kind}_edit", args=[uuid]), f"Edit the {kind}", Permission.INVOICING)
    return None
