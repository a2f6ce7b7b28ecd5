"""Django's settings, read from the environment that `cone up` (or an operator) sets. Secrets come from files."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cone.project.secrets import read_keys, read_secret

DATA_DIR = Path(os.environ.get("CONE_DATA_DIR", "var")).resolve()
BASE_URL = os.environ.get("CONE_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
_base = urlsplit(BASE_URL)

# Where Connect leads when no Intuit keys are configured; pages may send their forms there.
EMULATOR_URL = os.environ.get("CONE_EMULATOR_URL", "").rstrip("/")

DEBUG = False
SECRET_KEY = read_secret("CONE_SECRET_KEY_FILE", DATA_DIR / "secret_key")
TOKEN_KEYS = read_keys("CONE_TOKEN_KEYS_FILE", DATA_DIR / "keys")

_hosts = os.environ.get("CONE_ALLOWED_HOSTS", "").split(",")
ALLOWED_HOSTS = sorted({_base.hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"} | set(filter(None, _hosts)))
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "cone.web.apps.WebConfig",  # before allauth: its sign-in templates win
    "allauth",
    "allauth.account",
    "django_htmx",
    "cone.books.apps.BooksConfig",
    "cone.project.apps.ProjectConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "cone.web.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "cone.web.middleware.current_workspace",
]

ROOT_URLCONF = "cone.project.urls"
WSGI_APPLICATION = "cone.project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cone.web.context.page",
            ],
        },
    }
]


def database_from_url(url: str) -> dict[str, object]:
    """Django's dictionary for a `postgresql://user:password@host:port/name?option=value` address.

    A unix socket directory is given percent-encoded as the host, or as `?host=`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise SystemExit("DATABASE_URL must start with postgresql:// — Cone keeps its books in Postgres only.")
    options = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    host = unquote(options.pop("host", parts.hostname or ""))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # A host that says nothing is given up like one that refuses: the page then says that the database is away.
        "OPTIONS": {
            "options": "-c timezone=UTC",
            "connect_timeout": "10",
            **{key: unquote(value) for key, value in options.items()},
        },
    }


DATABASES = {"default": database_from_url(os.environ.get("DATABASE_URL", "postgresql://cone@127.0.0.1/cone"))}

AUTH_USER_MODEL = "books.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# Cookies ignore ports: names of our own keep the emulator, and other apps on this host, apart.
SESSION_COOKIE_NAME = "cone_session"
CSRF_COOKIE_NAME = "cone_csrf"
LANGUAGE_COOKIE_NAME = "cone_language"
_is_https = _base.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if _is_https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_https else None
X_FRAME_OPTIONS = "DENY"

CSRF_FAILURE_VIEW = "cone.web.views.errors.csrf_failure"
# Tones of the stylesheet, by level: debug, info, success, warning, error.
MESSAGE_TAGS = {10: "idle", 20: "idle", 25: "good", 30: "warn", 40: "bad"}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
if "CONE_SMTP_HOST" in os.environ:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = os.environ["CONE_SMTP_HOST"]
    EMAIL_PORT = int(os.environ.get("CONE_SMTP_PORT", "587"))
    EMAIL_HOST_USER = os.environ.get("CONE_SMTP_USER", "")
    EMAIL_HOST_PASSWORD = os.environ.get("CONE_SMTP_PASSWORD", "")
    EMAIL_USE_TLS = os.environ.get("CONE_SMTP_TLS", "1") == "1"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("CONE_MAIL_FROM", "Cone <cone@localhost>")

# How long QuickBooks is trusted to know a request id again; it doesn't publish it. After that it's asked what it has.
REQUEST_IDS_LIVE_FOR = timedelta(minutes=int(os.environ.get("CONE_REQUEST_IDS_LIVE_MINUTES", "60")))
# Attempts are the history that pages show; the latest success and what's open are kept whatever their age.
HISTORY_KEPT_FOR = timedelta(days=int(os.environ.get("CONE_HISTORY_DAYS", "400")))

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "once_per_outage": {"()": "cone.api.health.OncePerOutage"},
        "one_line_while_away": {"()": "cone.project.faults.OneLineWhileAway"},
    },
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"django.request": {"filters": ["once_per_outage", "one_line_while_away"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
