"""The entry for the web server."""

import os

from django.core.wsgi import get_wsgi_application

from cone.kit.collector import tune_collector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cone.project.settings")
application = get_wsgi_application()
tune_collector()
