"""Services become items there when an invoice first needs them."""

from cone.accounting.plan.decisions import Blocked, Decision, Nothing, Send
from cone.accounting.port.documents import Create, ServiceDocument
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import LinkState, ServiceRecord, Situation


def plan_service(record: ServiceRecord, link: LinkState | None, situation: Situation) -> Decision:
    """Find or make the item that a service's lines post to."""
    if link is not None:
        # The item belongs to the firm's books once it's linked: its name and account there are theirs to keep.
        return Nothing()
    if not situation.income_account_id:
        return Blocked(CauseCode.INCOME_ACCOUNT_MISSING, key="income_account_missing")
    return Send(Create(service_document(record, situation)), find_first=True)


def service_document(record: ServiceRecord, situation: Situation) -> ServiceDocument:
    """A service as the item it should be there."""
    return ServiceDocument(
        uuid=record.uuid,
        revision=record.revision,
        name=record.name,
        description=record.description,
        unit_price=record.unit_price,
        income_account_id=situation.income_account_id,
    )
