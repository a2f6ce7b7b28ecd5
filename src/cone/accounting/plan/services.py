"""Services become items there when an invoice first needs them."""

from cone.accounting.plan.decisions import Decision, Nothing, Send
from cone.accounting.plan.known_causes import find_income_account_cause, find_name_cause
from cone.accounting.port.documents import Create, ServiceDocument, Update
from cone.accounting.records import ServiceRecord, Situation, Subject

LONGEST_NAME = 100


def plan_service(subject: Subject, record: ServiceRecord, situation: Situation) -> Decision:
    """Find or make the item that a service's lines post to; one that we made follows its name and account here."""
    link = subject.link
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
    # Made without a look where the lists say that there's none of the name; one made since refuses it, and the next try
    # then looks.
    is_missing = record.name.strip().lower() in situation.missing_items
    return Send(Create(document), find_first=not is_missing or subject.row.last_generation > 0)


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
