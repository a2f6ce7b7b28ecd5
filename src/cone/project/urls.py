"""Every address of the product."""

from django.urls import include, path

from cone.api.health import health

urlpatterns = [
    path("healthz", health, name="healthz"),
    path("", include("cone.web.urls")),
]
