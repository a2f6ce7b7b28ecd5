"""The one Django app of the product."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class BooksConfig(AppConfig):
    name = "cone.books"
    label = "books"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have every connection of Django's begin as ours do."""
        connection_created.connect(_begin, dispatch_uid="cone.books.begin")


def _begin(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Where the planner expects much, compiling what pages ask takes longer than the answer.

    By a statement, since poolers refuse parameters they don't know when a connection begins.
    """
    with connection.cursor() as cursor:
        cursor.execute("set jit = off")
