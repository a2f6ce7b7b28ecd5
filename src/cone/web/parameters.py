"""Query-string values as pages use them: whatever was typed into an address, a page comes of it."""

from django.http import HttpRequest

_HIGHEST_PAGE = 1_000_000


def read_page_number(request: HttpRequest) -> int:
    """The page asked for; 1 unless it's a sensible number."""
    text = request.GET.get("page", "")
    return min(int(text), _HIGHEST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def read_search(request: HttpRequest) -> str:
    """The search text."""
    return request.GET.get("q", "")
