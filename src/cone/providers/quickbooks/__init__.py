"""QuickBooks Online behind the accounting port. `QuickBooks(QuickBooksConfig.from_environment(os.environ))`."""

from cone.providers.quickbooks.adapter import QuickBooks
from cone.providers.quickbooks.config import QuickBooksConfig

__all__ = ["QuickBooks", "QuickBooksConfig"]
