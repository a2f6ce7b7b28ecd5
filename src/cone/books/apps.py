"""The one Django app of the product."""

from django.apps import AppConfig


class BooksConfig(AppConfig):
    name = "cone.books"
    label = "books"
    default_auto_field = "django.db.models.BigAutoField"
