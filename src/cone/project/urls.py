"""Every address of the product."""

from django.urls import include, path

from cone.api.health import health

urlpatterns = [
    path("healthz", health, name="healthz"),
    path("", include("cone.web.urls")),
]

handler400 = "cone.web.views.errors.bad_request"
handler403 = "cone.web.views.errors.forbidden"
handler404 = "cone.web.views.errors.not_found"
handler500 = "cone.project.faults.server_error"
