"""From the sign-up page to one's firm, by invitation too, and back out."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.books.models import Invitation, Membership, TaxRate, User, Workspace
from cone.domain.permissions import Role
from cone.operations.invite_member import invite_member
from tests.builders import Cast, make_user
from tests.integration.web.conftest import ClientOf

PASSWORD = "a long enough secret"


def sign_up(client: Client, email: str = "anna@example.com", password: str = PASSWORD) -> str:
    answer = client.post(reverse("account_signup"), {"email": email, "password1": password}, follow=True)
    return answer.redirect_chain[-1][0] if answer.redirect_chain else ""


def test_first_visit_ends_at_ones_own_dashboard(db: None) -> None:
    client = Client()

    landed = sign_up(client)
    choices = client.get(reverse("firm_choices"), {"country": "GB"}).text
    rates = re.findall(r'name="rates" value="([^"]*)" checked', choices)
    form = {"name": "Plumb & Line", "country": "GB", "currency": "GBP", "rates_of": "GB", "rates": rates[:1]}
    done = client.post(reverse("firm_new"), form, follow=True)

    firm = Workspace.objects.get()
    assert landed == reverse("firm_new")
    assert '<option value="GBP" selected>' in choices
    assert done.redirect_chain == [(reverse("dashboard"), 302)]
    assert "Plumb &amp; Line" in done.text
    assert sorted(TaxRate.objects.values_list("name", flat=True)) == sorted(["No tax", rates[0]])
    assert list(firm.memberships.values_list("user__email", "role")) == [("anna@example.com", "owner")]


def test_without_javascript_a_firm_gets_all_rates_of_its_country(db: None) -> None:
    client = Client()
    client.force_login(make_user())

    client.post(reverse("firm_new"), {"name": "Plain", "country": "GB", "currency": "GBP"})

    assert TaxRate.objects.filter(percent=20).count() == 1


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"name": ""}, "Enter the firm&#x27;s name."),
        ({"name": "n" * 101}, "Shorten the firm&#x27;s name to 100 characters; it has 101."),
        ({"country": "XX"}, "Choose one from the list."),
        ({"currency": "XXX"}, "Choose one from the list."),
    ],
)
def test_firm_form_says_what_is_wrong(typed: dict[str, str], message: str, db: None) -> None:
    client = Client()
    client.force_login(make_user())

    answer = client.post(reverse("firm_new"), {"name": "Firm", "country": "GB", "currency": "GBP", **typed})

    assert answer.status_code == 422
    assert message in answer.text
    assert not Workspace.objects.exists()


@pytest.mark.parametrize("country", ["", "GB", "US", "AQ", "XX", "zz9", "<b>", "\x00"])
def test_any_country_gets_choices(country: str, db: None) -> None:
    client = Client()
    client.force_login(make_user())

    assert client.get(reverse("firm_choices"), {"country": country}).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"), [("", PASSWORD), ("nobody", PASSWORD), ("a@example.com", "short"), ("a@example.com", "")]
)
def test_account_with_bad_input_is_not_made(email: str, password: str, db: None) -> None:
    assert sign_up(Client(), email, password) == ""
    assert not User.objects.exists()


def test_signing_in_lands_on_the_dashboard_and_out_at_the_door(cast: Cast) -> None:
    cast.owner.user.set_password(PASSWORD)
    cast.owner.user.save()
    client = Client()

    landed = client.post(reverse("account_login"), {"login": cast.owner.user.email, "password": PASSWORD}, follow=True)
    left = client.post(reverse("account_logout"), follow=True)

    assert landed.redirect_chain == [("/", 302)]
    assert "Outstanding" in landed.text
    assert left.redirect_chain == [(reverse("account_login"), 302)]
    assert client.get(reverse("dashboard")).status_code == 302


def test_wrong_password_says_so_and_stays(cast: Cast) -> None:
    answer = Client().post(reverse("account_login"), {"login": cast.owner.user.email, "password": "wrong"})

    assert answer.status_code == 200
    assert "not correct" in answer.text


def test_lost_password_is_mailed_without_telling_who_has_an_account(cast: Cast) -> None:
    known = Client().post(reverse("account_reset_password"), {"email": cast.owner.user.email}, follow=True)
    sent = len(mail.outbox)
    unknown = Client().post(reverse("account_reset_password"), {"email": "nobody@example.com"}, follow=True)

    assert known.text == unknown.text
    assert sent == 1
    assert reverse("account_reset_password") in mail.outbox[0].body


def test_invitation_is_shown_once_and_lets_its_person_in(cast: Cast, owner: Client, client_of: ClientOf) -> None:
    page = owner.post(reverse("team"), {"email": "New@Example.com", "role": "biller"}).text
    found = re.search(r"/invitations/[\w-]+", page)
    assert found
    invited = Client()
    invited.force_login(make_user("new@example.com"))

    asked = invited.get(found.group()).text
    joined = invited.post(found.group(), follow=True)

    assert found.group() not in owner.get(reverse("team")).text
    assert "Join Hartley &amp; Rowe" in asked
    assert joined.redirect_chain == [(reverse("dashboard"), 302)]
    assert Membership.objects.get(user__email="new@example.com").role == "biller"
    assert invited.get(found.group()).status_code == 404


def test_invitation_for_another_person_is_refused(cast: Cast, client_of: ClientOf) -> None:
    _, token = invite_member(cast.owner, email="someone@example.com", role=Role.OWNER)

    answer = client_of(cast.outsider).post(reverse("invitation", args=[token]))

    assert answer.status_code == 403
    assert "someone@example.com" in answer.text
    assert Membership.objects.filter(workspace=cast.workspace).count() == 3


def test_invitation_that_expired_is_refused(cast: Cast, client_of: ClientOf) -> None:
    _, token = invite_member(cast.owner, email=cast.outsider.user.email, role=Role.BILLER)
    Invitation.objects.update(expires_at=timezone.now())

    answer = client_of(cast.outsider).get(reverse("invitation", args=[token]))

    assert answer.status_code == 404
    assert "This invitation has expired, was used, or was withdrawn" in answer.text


def test_last_owner_stays(cast: Cast, owner: Client) -> None:
    membership = cast.owner.user.memberships.get()

    page = owner.post(reverse("member_remove", args=[membership.pk]), follow=True).text

    assert "A workspace needs an owner" in page
    assert Membership.objects.filter(pk=membership.pk).exists()
