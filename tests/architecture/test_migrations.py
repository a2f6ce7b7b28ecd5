"""The migrations say all that the models say, and tables belong to the books alone."""

from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db.migrations import AddConstraint, CreateModel
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint

# From here on: earlier ones are released as they are.
_FIRST_CHECKED = "0014"


def test_migrations_are_complete() -> None:
    loader = MigrationLoader(None)
    questioner = NonInteractiveMigrationQuestioner(specified_apps={"books"}, dry_run=True)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps), questioner)

    changes = detector.changes(graph=loader.graph, trim_to_apps={"books"})

    assert {app: [str(step) for step in found[0].operations] for app, found in changes.items()} == {}


def test_migrations_have_one_end() -> None:
    loader = MigrationLoader(None)

    assert loader.detect_conflicts() == {}


def test_checks_of_tables_that_are_there_are_validated_in_a_later_migration() -> None:
    locking, added, validated = set(), {}, {}
    for (app, name), migration in sorted(MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items()):
        if app != "books" or name < _FIRST_CHECKED:
            continue
        new = {step.name_lower for step in migration.operations if isinstance(step, CreateModel)}
        for step in migration.operations:
            if isinstance(step, AddConstraintNotValid):
                added[step.constraint.name] = name
            elif isinstance(step, ValidateConstraint):
                validated[step.name] = name
            elif isinstance(step, AddConstraint) and step.model_name_lower not in new:
                locking |= {step.constraint.name} if isinstance(step.constraint, CheckConstraint) else set()
    assert locking == set()
    assert added.keys() == validated.keys()
    assert added
    assert all(validated[constraint] > name for constraint, name in added.items())


def test_models_live_in_the_books_only() -> None:
    ours = {model.__module__ for model in apps.get_models() if model.__module__.startswith("cone.")}

    assert {module for module in ours if not module.startswith("cone.books.models.")} == set()
