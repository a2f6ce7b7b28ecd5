"""The address of the database, as Django takes it."""

from typing import Any

import pytest

from cone.project.settings import database_from_url


def options(url: str) -> dict[str, Any]:
    found = database_from_url(url)["OPTIONS"]
    assert isinstance(found, dict)
    return found


def test_server_that_says_nothing_is_given_up_soon_unless_the_address_says_otherwise() -> None:
    assert options("postgresql://cone@books.example/cone")["connect_timeout"] == "10"
    assert options("postgresql://cone@books.example/cone?connect_timeout=3")["connect_timeout"] == "3"


def test_other_databases_are_refused_in_words() -> None:
    with pytest.raises(SystemExit, match="Postgres only"):
        database_from_url("mysql://cone@books.example/cone")
