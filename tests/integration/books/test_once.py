"""A form's token, and people at the same moment."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from cone.books.models import Customer, SentForm
from cone.domain.customers import CustomerInput
from cone.operations.actor import Actor
from cone.operations.once import Made, make_once
from cone.operations.save_customer import save_customer
from tests.builders import make_owner
from tests.integration.books.threads import at_once


def _make(actor: Actor, token: UUID) -> Made:
    return make_once(actor, token, lambda: save_customer(actor, CustomerInput(name="Once")))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_record() -> None:
    actor, token = make_owner(), uuid4()

    made = at_once([lambda: _make(actor, token)] * 4)

    assert [one.uuid for one in made if isinstance(one, Made)] == [Customer.objects.get().uuid] * 4
    assert [one.is_again for one in made if isinstance(one, Made)].count(False) == 1


@pytest.mark.django_db
def test_old_tokens_go() -> None:
    actor, old = make_owner(), uuid4()
    _make(actor, old)
    SentForm.objects.update(sent_at=timezone.now() - timedelta(days=31))

    _make(actor, uuid4())

    assert not SentForm.objects.filter(token=old).exists()
    assert SentForm.objects.count() == 1
