"""Services become items there when an invoice first needs them."""

from cone.accounting.plan.decisions import Decision, Nothing, Send
from cone.accounting.plan.known_causes import find_income_account_cause, find_name_cause
from cone.accounting.port.documents import Create, ServiceDocument, Update
from cone.accounting.records import LinkState, ServiceRecord, Situation

LONGEST_NAME = 100


def plan_service(record: ServiceRecord, link: LinkState | None, situation: Situation) -> Decision:
    """Find or make the item that a service's lines post to; one that we made follows its name and account here."""
    if link is not None and not link.is_made_here:
        # An item that was found belongs to the firm's books: its name and account there are theirs to keep.
        return Nothing()
    if cause := find_income_account_cause(record.income_account_id or situation.income_account_id, situation):
        return cause
    if cause := find_name_cause(record.uuid, record.name, longest=LONGEST_NAME):
        return cause
    document = service_document(record, situation)
    if link is not None:
        return Send(Update(document, remote_id=link.remote_id, remote_version=link.remote_version))
    return Send(Create(document), find_first=True)


def service_document(record: ServiceRecord, situation: Situation) -> ServiceDocument:
    """A service as the item it should be there."""
    return ServiceDocument(
        uuid=record.uuid,
        revision=record.revision,
        name=record.name,
        description=record.description,
        unit_price=record.unit_price,
        income_account_id=record.income_account_id or situation.income_account_id,
    )
