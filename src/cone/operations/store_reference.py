"""Keep what the timetable read of a company, without a person asking."""

import json

from django.db import connection, transaction
from django.db.models.functions import Now

from cone.accounting.facts import facts_to_json, reference_to_json
from cone.accounting.port.company import Account, CompanyFacts, Reference, TaxCode
from cone.accounting.reference import store_books
from cone.books.models import Connection, ReferenceRecord


def store_reference(connection_id: int, facts: CompanyFacts, reference: Reference) -> bool:
    """Store facts and lists where they changed; whether they did.

    Unchanged ones leave `settings_revision` as it is: moving it would have everything refused tried again each day.
    """
    try:
        with transaction.atomic():
            active = Connection.objects.select_for_update().filter(pk=connection_id, state="connected").first()
            if active is None:
                return False
            if _is_known(active, facts, reference):
                Connection.objects.filter(pk=active.pk).update(
                    facts_read_at=Now(), missing_items=list(reference.missing_items)
                )
                return False
            store_books(active, facts, reference)
            return True
    finally:
        # Called in a thread that won't come back.
        connection.close()


def _is_known(active: Connection, facts: CompanyFacts, reference: Reference) -> bool:
    entries: list[Account | TaxCode] = [*reference.accounts, *reference.tax_codes]
    # As JSON gives it back: without tuples.
    listed, fresh = json.loads(
        json.dumps([{entry.remote_id: reference_to_json(entry) for entry in entries}, facts_to_json(facts)])
    )
    stored = ReferenceRecord.objects.filter(connection=active, kind__in=["account", "tax_code"])
    known = {row.remote_id: row.detail for row in stored}
    named = ReferenceRecord.objects.filter(connection=active, kind__in=["payment_method", "item"])
    methods = {
        ("payment_method", method.remote_id, method.name, method.is_active) for method in reference.payment_methods
    }
    items = {("item", item.remote_id, item.name, False) for item in reference.inactive_items}
    if set(named.values_list("kind", "remote_id", "name", "is_active")) != methods | items:
        return False
    return active.facts == fresh and len(listed) == len(entries) and known == listed
