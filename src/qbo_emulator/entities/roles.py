"""Which accounts play which part in a company's books; no entity of QuickBooks, and never answered."""

from .entity import Entity
from .fields import Shape


class Roles(Entity):
    """One record per company: the ids of the receivable and the tax payable account."""

    name = "Roles"
    shape = Shape("Roles", {})
