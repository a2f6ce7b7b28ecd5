"""Named starting points: which companies stand on the company page after a reset."""

from collections.abc import Callable

from .global_companies import AU_MAIN, CA_MAIN, IE_MAIN, UK_CLOSED, UK_MAIN, UK_SECOND
from .large import LARGE
from .multicurrency import UK_MULTICURRENCY
from .plan import CompanyPlan
from .us_companies import US_AUTOMATED, US_SAMPLE, US_SMALL

SCENARIOS: dict[str, Callable[[], tuple[CompanyPlan, ...]]] = {
    "uk-vat": lambda: (UK_MAIN, UK_SECOND, US_SMALL),
    "us-sample": lambda: (US_SAMPLE, US_SMALL, UK_MAIN),
    "us-classic": lambda: (US_SMALL, US_SAMPLE),
    "us-ast": lambda: (US_AUTOMATED, US_SMALL),
    "ie-vat": lambda: (IE_MAIN, UK_MAIN),
    "au-gst": lambda: (AU_MAIN, US_SMALL),
    "ca-gst-pst": lambda: (CA_MAIN, US_SMALL),
    "multicurrency": lambda: (UK_MULTICURRENCY, UK_MAIN),
    "large": lambda: (LARGE,),
    "closed-books": lambda: (UK_CLOSED, UK_MAIN),
}
