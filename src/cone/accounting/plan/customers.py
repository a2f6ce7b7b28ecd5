"""Customers: made there, brought up to date, or held where their name can't be had."""

from cone.accounting.names import namesakes_to_json
from cone.accounting.plan.decisions import Blocked, Decision, LookBack
from cone.accounting.plan.known_causes import find_currency_cause, find_name_cause
from cone.accounting.plan.sending import send
from cone.accounting.port.documents import CustomerDocument
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import Situation, Subject

LONGEST_NAME = 500


def plan_customer(subject: Subject, record: CustomerDocument, situation: Situation) -> Decision:
    """Send a customer under its name; one that another customer of ours has there is asked about, at no request.

    Where the firm chose suffixes the refusal is what makes the lane look for a free one.
    """
    if subject.link is not None and subject.link.standing != "live":
        # What refers to it was refused: it may be merged, deleted or inactive there.
        return LookBack()
    if cause := find_name_cause(record.uuid, record.name, longest=LONGEST_NAME):
        return cause
    if cause := find_currency_cause(record.currency, "", situation):
        return cause
    known = situation.taken_names.get(record.name.lower())
    if known is not None and known[1] != record.uuid and situation.name_policy != "suffix":
        params = {"namesakes": namesakes_to_json([known[0]])}
        return Blocked(CauseCode.NAME_TAKEN, key=f"name_taken:{record.uuid}", params=params)
    return send(subject, record)
