"""The routes of `/chat`."""

from django.urls import path

from chat_app.views import ChatViewSet
from chat_app.waiting import asynchronous
from sessions_app.authentication import ReturningVisitorAuthentication

urlpatterns = [
    path(
        "",
        asynchronous(
            ChatViewSet.as_view(
                {"post": "create"}, authentication_classes=[ReturningVisitorAuthentication]
            )
        ),
        name="chat",
    ),
    path("/history", ChatViewSet.as_view({"get": "history"}), name="chat-history"),
    path("/events", asynchronous(ChatViewSet.as_view({"get": "events"})), name="chat-events"),
    path(
        "/messages/<str:message_id>",
        ChatViewSet.as_view({"get": "message"}),
        name="chat-message",
    ),
    path(
        "/answers/<str:answer_id>/stop",
        asynchronous(ChatViewSet.as_view({"post": "stop"})),
        name="chat-stop",
    ),
]
