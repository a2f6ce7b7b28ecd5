"""Named starting points: which companies stand on the company page after a reset."""

from collections.abc import Callable

from .global_companies import AU_MAIN, CA_MAIN, UK_CLOSED, UK_MAIN, UK_SECOND
from .plan import CompanyPlan
from .us_companies import US_SAMPLE, US_SMALL

SCENARIOS: dict[str, Callable[[], tuple[CompanyPlan, ...]]] = {
    "uk-vat": lambda: (UK_MAIN, UK_SECOND, US_SMALL),
    "us-sample": lambda: (US_SAMPLE, US_SMALL, UK_MAIN),
    "us-classic": lambda: (US_SMALL, US_SAMPLE),
    "au-gst": lambda: (AU_MAIN, US_SMALL),
    "ca-gst-pst": lambda: (CA_MAIN, US_SMALL),
    "closed-books": lambda: (UK_CLOSED, UK_MAIN),
}
