"""The product's own settings on a throw-away Postgres: `DATABASE_URL`'s, or an embedded one for this run.

Started here because settings are read before any fixture; test processes that pytest-xdist starts inherit it.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack

_stack = ExitStack()
atexit.register(_stack.close)

if "CONE_DATA_DIR" not in os.environ or "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["CONE_DATA_DIR"] = _stack.enter_context(tempfile.TemporaryDirectory(prefix="cone-test-"))

if not os.environ.get("DATABASE_URL"):
    from cone.cli.postgres import temporary_postgres

    os.environ["DATABASE_URL"] = _stack.enter_context(temporary_postgres({"max_connections": "200"})).dsn

from cone.project.settings import *  # noqa: E402, F403  # the environment had to be complete first

# Tests read templates and static files as they are in the tree; hashing names needs a collectstatic run.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Hashing passwords slowly is the point in production and a waste here.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CONN_MAX_AGE = 0
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
os.environ.setdefault("CONE_TEST_RUN", str(os.getpid()))
# Two runs against one server at a time keep to their own databases.
DATABASES["default"]["TEST"] = {"NAME": f"test_cone_{os.environ['CONE_TEST_RUN']}"}  # noqa: F405
# WhiteNoise warns about a folder that isn't there.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
