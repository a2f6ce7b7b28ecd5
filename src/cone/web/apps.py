"""Templates and static files of the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "cone.web"
    label = "web"
