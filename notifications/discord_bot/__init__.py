"""The bot: the gateway, for what moderators do. Only this package and the REST door use discord."""
