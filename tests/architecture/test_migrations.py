"""The migrations say all that the models say, and tables belong to the books alone."""

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState


def test_migrations_are_complete() -> None:
    loader = MigrationLoader(None)
    questioner = NonInteractiveMigrationQuestioner(specified_apps={"books"}, dry_run=True)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps), questioner)

    changes = detector.changes(graph=loader.graph, trim_to_apps={"books"})

    assert {app: [str(step) for step in found[0].operations] for app, found in changes.items()} == {}


def test_migrations_have_one_end() -> None:
    loader = MigrationLoader(None)

    assert loader.detect_conflicts() == {}


def test_models_live_in_the_books_only() -> None:
    ours = {model.__module__ for model in apps.get_models() if model.__module__.startswith("cone.")}

    assert {module for module in ours if not module.startswith("cone.books.models.")} == set()
