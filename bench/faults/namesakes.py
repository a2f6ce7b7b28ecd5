"""The firm's own records there of names that Cone's have, made long before: they're to be linked, not made again.

A look finds them however blind it is to what is new, and they say nothing of what became of a batch.
"""

from bench.faults.cells import LONG_SECONDS
from bench.faults.firm import Firm
from bench.stand import Emulator
from cone.books.models import Customer

# Every third customer stands there already.
_EVERY = 3


def plant(emulator: Emulator, firm: Firm, *, has_item: bool) -> dict[str, list[str]]:
    """Make them; their ids by entity. `has_item`: a service of the usual account has its item there, too."""
    planted: dict[str, list[str]] = {"Customer": [], "Item": []}
    for customer in Customer.objects.filter(uuid__in=firm.customers).order_by("id")[::_EVERY]:
        fields = {"DisplayName": customer.name, "PrimaryEmailAddr": {"Address": customer.email}}
        planted["Customer"].append(_create(emulator, firm.realm_id, "Customer", fields))
    if has_item:
        account = {"IncomeAccountRef": {"value": firm.income_account_id}}
        fields = {"Name": "Training", "Type": "Service", **account}
        planted["Item"].append(_create(emulator, firm.realm_id, "Item", fields))
    return planted


def let_grow_old(emulator: Emulator) -> None:
    """Let them have been there for long."""
    emulator.ask("POST", "clock", {"jump_seconds": LONG_SECONDS})


def _create(emulator: Emulator, realm_id: str, entity: str, fields: dict[str, object]) -> str:
    order = {"realm_id": realm_id, "action": "create", "entity": entity, "fields": fields}
    made = emulator.ask("POST", "act", order)["record"]
    return str(made["Id"])  # type: ignore[index]  # plain JSON
