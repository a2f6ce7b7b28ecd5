"""Sending a sales document by e-mail: nothing is mailed, but the document says that it was."""

from __future__ import annotations

from .books import Txn
from .entities.entity import Entity, find
from .entities.fields import Email
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
rule("send.no-address", "Without sendTo and without BillEmail a send is refused (2020)", Mark.ASSUMPTION)


def send(txn: Txn, entity: Entity, number: str, send_to: str) -> Json:
    """Stage the sent document and answer it as it is shown."""
    if not isinstance(entity, SalesDocument):
        raise unsupported(f"send of {entity.name}")
    record = find(txn, entity.name, check_id(number))
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
