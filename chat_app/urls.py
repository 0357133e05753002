"""The routes of `/chat`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from chat_app.views import ChatViewSet
from chat_app.waiting import asynchronous
from chatsite.core import hops


class RowId(StringConverter):
    """What can be the id of a row; a NUL, say, would not get past PostgreSQL's driver."""

    regex = "[A-Za-z0-9_-]{1,32}"


register_converter(RowId, "row")

urlpatterns = [
    path(
        "",
        asynchronous(ChatViewSet.as_view({"post": "create"}, reopens_settled=True)),
        name="chat",
    ),
    path("/history", hops.once(ChatViewSet.as_view({"get": "history"})), name="chat-history"),
    path("/events", asynchronous(ChatViewSet.as_view({"get": "events"})), name="chat-events"),
    path(
        "/messages/<row:message_id>",
        hops.once(ChatViewSet.as_view({"get": "message"})),
        name="chat-message",
    ),
    path(
        "/answers/<row:answer_id>/stop",
        asynchronous(ChatViewSet.as_view({"post": "stop"})),
        name="chat-stop",
    ),
]
