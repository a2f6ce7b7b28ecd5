"""Where things are: a record's page, and the page where a cause is mended."""

from collections.abc import Callable, Mapping
from uuid import UUID

from django.urls import reverse

from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.values import ActionTarget, Cause


def record_url(kind: Kind, uuid: UUID) -> str:
    """The page of a record; a service's is its form."""
    return reverse(f"{kind}_edit" if kind == "service" else kind, args=[uuid])


_TARGETS: Mapping[ActionTarget, Callable[[UUID | None], str]] = {
    "tax_mapping": lambda uuid: f"{reverse('manage')}#rate-{uuid}" if uuid else f"{reverse('manage')}#tax",
    "accounts": lambda _: f"{reverse('manage')}#accounts",
    "customer": lambda uuid: record_url("customer", uuid) if uuid else reverse("customers"),
    "invoice": lambda uuid: record_url("invoice", uuid) if uuid else reverse("invoices"),
    "service": lambda uuid: record_url("service", uuid) if uuid else reverse("services"),
    "payment": lambda uuid: record_url("payment", uuid) if uuid else reverse("payments"),
    "connection": lambda _: reverse("integrations"),
    "none": lambda _: "",
}


def is_voided_here(cause: Cause) -> bool:
    """Whether the record is void in Cone and a person has to remove it there."""
    return cause.key.partition(":")[0] == CauseCode.VOIDED_HERE.value


def cause_url(cause: Cause) -> str:
    """The page of the one act that mends it; empty where nothing in Cone does."""
    return _TARGETS[cause.target](cause.target_uuid)
