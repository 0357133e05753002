"""The routes of `/auth`."""

from django.urls import path

from chatsite.core import hops
from sessions_app.views import AuthViewSet

urlpatterns = [
    path(
        "email",
        hops.once(
            AuthViewSet.as_view(
                {"post": "create"}, authentication_classes=[], permission_classes=[]
            )
        ),
        name="auth-email",
    ),
    path(
        "email/verify",
        AuthViewSet.as_view({"post": "verify"}, authentication_classes=[], permission_classes=[]),
        name="auth-verify",
    ),
    path(
        "session",
        hops.once(AuthViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
        name="auth-session",
    ),
]
