"""Sending a sales document by e-mail: nothing is mailed, but the document says that it was."""

from __future__ import annotations

from .books import Txn
from .entities.entity import Entity, find
from .entities.fields import Email
from .entities.payment import Payment
from .entities.sales import SalesDocument
from .evidence import Mark, rule
from .faults import missing, unsupported
from .jsonio import Json
from .operations import check_id

rule(
    "send.document",
    "POST <document>/<id>/send[?sendTo=]: EmailStatus EmailSent, DeliveryInfo, BillEmail from sendTo, a new version",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule(
    "send.payment",
    "A payment is sent to sendTo or the customer's PrimaryEmailAddr: a new version, nothing else",
    Mark.DOCUMENT,
    "Intuit payment reference; what changes is assumed",
)
rule("send.no-address", "Without sendTo and without BillEmail a send is refused (2020)", Mark.ASSUMPTION)


def send(txn: Txn, entity: Entity, number: str, send_to: str) -> Json:
    """Stage the sent document and answer it as it is shown."""
    if not isinstance(entity, (SalesDocument, Payment)):
        raise unsupported(f"send of {entity.name}")
    record = find(txn, entity.name, check_id(number))
    if isinstance(entity, Payment):
        return _send_receipt(txn, entity, record, send_to)
    address = Email().parse(send_to, "sendTo") if send_to else (record.get("BillEmail") or {}).get("Address")
    if not address:
        raise missing("BillEmail")
    txn.touch(
        entity.name,
        {
            **record,
            "EmailStatus": "EmailSent",
            "BillEmail": {**(record.get("BillEmail") or {}), "Address": address},
            "DeliveryInfo": {"DeliveryType": "Email", "DeliveryTime": txn.now},
        },
    )
    return entity.render(txn, find(txn, entity.name, record["Id"]))


def _send_receipt(txn: Txn, entity: Payment, record: Json, send_to: str) -> Json:
    """A payment keeps no address: only its version tells."""
    customer = find(txn, "Customer", record["CustomerRef"]["value"])
    if send_to:
        Email().parse(send_to, "sendTo")
    elif not (customer.get("PrimaryEmailAddr") or {}).get("Address"):
        raise missing("sendTo")
    txn.touch(entity.name, record)
    return entity.render(txn, find(txn, entity.name, record["Id"]))
