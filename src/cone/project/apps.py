"""Wires the house together once Django is set up, in every process alike."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "cone.project"
    label = "project"

    def ready(self) -> None:
        from cone.project.wiring import wire  # noqa: PLC0415  # models can be imported only now

        wire()
