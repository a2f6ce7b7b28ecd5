"""One page of a list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

PAGE_SIZE = 50
LONGEST_SEARCH = 100
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Items and where they stand. Pages count from 1; a page beyond the last shows the last."""

    items: tuple[Item, ...]
    number: int
    total_count: int
    size: int = PAGE_SIZE

    @property
    def last_number(self) -> int:
        return last_page(self.total_count)

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.last_number

    @property
    def first_position(self) -> int:
        """The position of the first item in the whole list, from 1; 0 when the list is empty."""
        return (self.number - 1) * self.size + 1 if self.total_count else 0

    @property
    def last_position(self) -> int:
        return min(self.number * self.size, self.total_count)


def last_page(total_count: int) -> int:
    """Return the number of the last page; an empty list has one."""
    return max(1, -(-total_count // PAGE_SIZE))


def cut_page(total_count: int, number: int, read: Callable[[slice], tuple[Item, ...]]) -> Page[Item]:
    """Return the page of that number, or the nearest there is; `read` gets the slice of its items."""
    nearest = min(max(1, number), last_page(total_count))
    items = read(slice((nearest - 1) * PAGE_SIZE, nearest * PAGE_SIZE)) if total_count else ()
    return Page(items=items, number=nearest, total_count=total_count)


def clean_search(text: str) -> str:
    """Return what can be searched for: trimmed, without characters no text contains, not endless."""
    return "".join(character for character in text if character.isprintable()).strip()[:LONGEST_SEARCH]
