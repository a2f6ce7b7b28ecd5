"""The only place that names providers: who is on offer in this installation."""

import os

from cone.accounting.registry import register
from cone.providers.quickbooks import QuickBooks, QuickBooksConfig


def wire() -> None:
    """Put the providers on offer, configured from the environment."""
    register(QuickBooks(QuickBooksConfig.from_environment(os.environ)))
