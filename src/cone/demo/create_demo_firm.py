"""Make the demo firm, once: its team, customers, services and a year of invoices."""

from dataclasses import asdict
from datetime import date

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cone.books.models import Customer, Membership, Service, TaxRate, User, Workspace
from cone.demo.cast import FIRM, RATES, SERVICES, demo_customers
from cone.demo.sign_in import OWNER_EMAIL, DemoSignIn, find_sign_in, make_sign_in
from cone.demo.write_year import Books, write_year
from cone.demo.year import plan_year
from cone.domain.customers import check_customer
from cone.domain.permissions import Role
from cone.domain.services import check_service
from cone.domain.workspaces import FirmInput
from cone.operations.actor import Actor
from cone.operations.create_firm import create_firm

__all__ = ["DemoSignIn", "create_demo_firm"]

# An advisory lock of our own: two processes that start at once make one firm.
_LOCK = 0x_C0DE_DE30


@transaction.atomic
def create_demo_firm(*, today: date | None = None) -> DemoSignIn:
    """Return the demo's sign-in, making the firm where there is none yet.

    The password is generated once and kept in the data directory; if that file is lost, a new one is set.
    """
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    owner = User.objects.filter(email=OWNER_EMAIL).first()
    kept = find_sign_in(settings.DATA_DIR)
    sign_in = kept or make_sign_in(settings.DATA_DIR)
    if owner is None:
        owner = User.objects.create_user(OWNER_EMAIL, sign_in.password, name="Eleanor Hartley")
    elif kept is None:
        owner.set_password(sign_in.password)
        owner.save(update_fields=["password"])
    if not Workspace.objects.filter(is_demo=True).exists():
        _make_firm(owner, today or timezone.localdate())
    return sign_in


def _make_firm(owner: User, today: date) -> None:
    workspace = create_firm(owner, FirmInput(FIRM, "GB", "GBP", RATES))
    workspace.is_demo = True
    workspace.email, workspace.phone, workspace.tax_number = "office@cone.example", "01632 960001", "GB123456789"
    workspace.address_line1, workspace.city, workspace.postal_code = "12 Castle Street", "Bristol", "BS1 3AE"
    workspace.save()
    _make_team(workspace, owner)
    actor = Actor(workspace=workspace, user=owner, role=Role.OWNER)
    customers = [Customer(workspace=workspace, **asdict(check_customer(typed))) for typed in demo_customers()]
    Customer.objects.bulk_create(customers)
    services = _make_services(workspace)
    books = Books(actor=actor, customers=customers, services=services, today=today)
    write_year(books, plan_year(today, customer_count=len(customers)))


def _make_team(workspace: Workspace, owner: User) -> None:
    # They sign in with the owner's password: the hash is copied, since making one takes a third of a second.
    for email, name, role in (
        ("biller@cone.example", "Tom Adeyemi", Role.BILLER),
        ("bookkeeper@cone.example", "Priya Raman", Role.BOOKKEEPER),
    ):
        person, _ = User.objects.get_or_create(email=email, defaults={"name": name, "password": owner.password})
        Membership.objects.create(workspace=workspace, user=person, role=role.value)


def _make_services(workspace: Workspace) -> list[Service]:
    rates = {int(rate.percent): rate for rate in TaxRate.objects.filter(workspace=workspace, is_no_tax=False)}
    services = []
    for entry, percent in SERVICES:
        checked = check_service(entry)
        services.append(
            Service(
                workspace=workspace,
                name=checked.name,
                description=checked.description,
                unit_price=checked.unit_price,
                tax_rate=rates[percent],
            )
        )
    Service.objects.bulk_create(services)
    return services
