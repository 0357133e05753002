"""Presses of the card's buttons, and the forms that some of them open.

They are told apart by their ids alone, so that they work however often the bot was restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import discord

from notifications import moderation
from notifications.database import Database
from notifications.discord_bot import answering, commands
from notifications.embeds import PREFIX

_FORM_SECONDS = 2.0
_DIRECT: dict[str, Callable[..., str]] = {
    "takeover": moderation.take_over,
    "handback": moderation.hand_back,
    "reopen": moderation.reopen,
    "reveal": moderation.reveal,
}


class Form(discord.ui.Modal):
    """One text field; what is written comes back as an interaction of its own."""

    def __init__(self, act: str, *, title: str, label: str, text: str = "", required: bool = True):
        super().__init__(title=title, custom_id=f"{PREFIX}{act}", timeout=900)
        field: discord.ui.TextInput[Form] = discord.ui.TextInput(
            label=label,
            custom_id="text",
            style=discord.TextStyle.paragraph,
            default=text or None,
            required=required,
            max_length=4000,
        )
        self.add_item(field)


async def pressed(interaction: discord.Interaction, database: Database) -> None:
    """Do what a button stands for, or open its form."""
    name, _, message_id = _act(interaction).partition(":")
    if name in _DIRECT:
        act = _DIRECT[name]
        await answering.act(interaction, database, lambda s, a: act(session_id=s, actor=a))
    elif name == "reply":
        await _open(interaction, Form("reply", title="Reply", label="What the visitor reads"))
        await _show_writing(interaction, database)
    elif name == "close":
        form = Form("close", title="Close", label="A last word, if you like", required=False)
        await _open(interaction, form)
    elif name == "edit":
        await _open_correction(interaction, database, message_id)
    elif name == "delete":
        await answering.act(
            interaction,
            database,
            lambda s, a: moderation.delete(session_id=s, message_id=message_id, actor=a),
        )


async def submitted(interaction: discord.Interaction, database: Database) -> None:
    """Do what a form was filled in for."""
    name, _, message_id = _act(interaction).partition(":")
    text = _written(interaction)
    acts: dict[str, answering.Act] = {
        "reply": commands.replying(interaction, text),
        "close": lambda s, a: moderation.close(session_id=s, actor=a, text=text),
        "edit": lambda s, a: moderation.edit(
            session_id=s, message_id=message_id, text=text, actor=a
        ),
    }
    if name in acts:
        await answering.act(interaction, database, acts[name])


def is_ours(interaction: discord.Interaction) -> bool:
    """Whether the component or form is one of ours."""
    return str(_data(interaction).get("custom_id", "")).startswith(PREFIX)


async def _open_correction(
    interaction: discord.Interaction, database: Database, message_id: str
) -> None:
    def load() -> str:
        session_id = moderation.find_session(channel_id=interaction.channel_id or 0)
        if session_id is None:
            return ""
        return moderation.text_of(session_id=session_id, message_id=message_id)

    try:
        async with asyncio.timeout(_FORM_SECONDS):  # a form cannot be deferred
            text = await database(load)
    except TimeoutError:
        text = ""
    if text:
        form = Form(
            f"edit:{message_id}", title="Correct", label="What the visitor reads", text=text
        )
        await _open(interaction, form)
    else:
        await answering.say(interaction, _gone())


async def _show_writing(interaction: discord.Interaction, database: Database) -> None:
    await database(
        moderation.writing_in,
        channel_id=interaction.channel_id or 0,
        message_id=interaction.message.id if interaction.message else None,
    )


async def _gone() -> str:
    return "This reply cannot be corrected any more."


async def _open(interaction: discord.Interaction, form: Form) -> None:
    try:
        await interaction.response.send_modal(form)
    except discord.HTTPException as error:
        answering.log.info("form was not opened", code=error.code)


def _data(interaction: discord.Interaction) -> dict[str, Any]:
    return cast("dict[str, Any]", interaction.data or {})


def _act(interaction: discord.Interaction) -> str:
    return str(_data(interaction).get("custom_id", "")).removeprefix(PREFIX)


def _written(interaction: discord.Interaction) -> str:
    """The value of the form's one field, wherever Discord nests it."""
    for row in _data(interaction).get("components", []):
        fields = row.get("components") or [row.get("component") or row]
        for one in fields:
            if one.get("custom_id") == "text":
                return str(one.get("value") or "")
    return ""
