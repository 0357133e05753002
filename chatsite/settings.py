"""Django's settings, composed from the environment (chatsite/env.py)."""

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from chatsite import __version__, env

BASE_DIR = env.BASE_DIR
env.load_dotenv(BASE_DIR / ".env")

# --- The process ---------------------------------------------------------------------------------
DEBUG = env.switch("DEBUG", False, "Development: static files from source, weak keys.")
# simplejwt reads it when it is imported, which the first run does before it has made keys; what
# stands in for it is too short to start anything with (core/checks.py).
SECRET_KEY = (
    env.secret("SECRET_KEY", "Signs the admin's sessions. 50 random characters or more.") or "unset"
)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "Host names served.")
HOST = env.text("HOST", "127.0.0.1", "Address the web process listens on.")
PORT = env.integer("PORT", 8000, "Port the web process listens on.")
WEB_WORKERS = env.integer("WEB_WORKERS", 2, "Web processes.", at_least=1)
WEB_THREADS = env.integer(
    "WEB_THREADS", 4, "Threads, each with one database connection, a web process.", at_least=1
)
REQUEST_HEAD_SECONDS = env.number(
    "REQUEST_HEAD_SECONDS",
    10.0,
    "Seconds in which a connection must send its first request's head.",
)
TRUSTED_PROXIES = env.words(
    "TRUSTED_PROXIES", "", "Addresses or networks of your own proxies; only they may name a client."
)
LOG_LEVEL = env.one_of(
    "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"), "Least severe line that is logged."
)
LOG_FORMAT = env.one_of(
    "LOG_FORMAT", "json", ("json", "console"), "One JSON object a line, or for people."
)

METRICS_PORT = env.integer(
    "METRICS_PORT",
    0,
    "Port of the web's figures for Prometheus; the replies workers' is the next, then the "
    "notifications workers'. 0: none are served.",
)
METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1", "Address they are served at; keep it inside.")

INSTALLED_APPS = [
    "chatsite.core.console.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "chatsite",
    "chatsite.core",
    "sessions_app",
    "chat_app",
    "notifications",
]
# The API's chain is the first three; the others step aside unless a page is asked for (pages.py).
MIDDLEWARE = [
    "chatsite.core.middleware.RequestContextMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "chatsite.core.middleware.SecurityHeadersMiddleware",
    "chatsite.core.pages.StaticFilesMiddleware",
    "chatsite.core.pages.SessionMiddleware",
    "chatsite.core.pages.CommonMiddleware",
    "chatsite.core.pages.CsrfViewMiddleware",
    "chatsite.core.pages.AuthenticationMiddleware",
    "chatsite.core.pages.MessageMiddleware",
    "chatsite.core.pages.CSPMiddleware",
]
PAGE_PREFIXES = ("/admin", "/api/docs")
PAGE_PATHS = frozenset({"/"})
ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATIC_ROOT = env.text(
    "STATIC_ROOT", str(BASE_DIR / "staticfiles"), "Folder that collectstatic fills."
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# --- Database ------------------------------------------------------------------------------------
DATABASES = {
    "default": env.database(
        "DATABASE_URL", f"sqlite:///{BASE_DIR}/var/chatsite.sqlite3", "sqlite:///… or postgres://…"
    )
}
_database: dict[str, Any] = DATABASES["default"]
if _password := env.secret(
    "DATABASE_PASSWORD", "Password of the database, where DATABASE_URL has none."
):
    _database["PASSWORD"] = _password
if _database["ENGINE"] == "django.db.backends.sqlite3":
    with contextlib.suppress(OSError):  # said in words by core/surroundings.py
        Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # IMMEDIATE: a transaction that reads before it writes must not find the lock taken half-way.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database["ENGINE"] = "chatsite.core.postgresql"
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "connect_timeout": 3,
        # A server that is gone without a word: what waits for it is an error after ten seconds.
        # TCP itself takes a quarter of an hour with a query, and hours while it waits for rows.
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        # Of what is kept the plans hold for all values: to weigh each time whether another one
        # were better is what planning costs.
        "options": "-c statement_timeout=15000 -c lock_timeout=5000"
        " -c plan_cache_mode=force_generic_plan",
    }
DATABASE_PLANS = env.switch(
    "DATABASE_PLANS",
    True,
    "Have PostgreSQL keep the plans of what is asked often; not behind a pooler that gives each "
    "transaction another connection.",
)
# Every thread that talks to the database is one of a few that live on (asgi.py, engine.py), so a
# kept connection is bounded; the check (core/postgresql) heals a restart.
_database["CONN_MAX_AGE"] = 600
_database["CONN_HEALTH_CHECKS"] = True

# --- Redis and Celery ----------------------------------------------------------------------------
REDIS_URL = env.text(
    "REDIS_URL", "redis://127.0.0.1:6379/0", "redis://…, rediss://… or unix://… of Valkey or Redis."
)
# Seconds; a request never waits on Redis longer than this, and mostly not at all (dispatch.py).
REDIS_TIMEOUT = env.number("REDIS_TIMEOUT", 1.0, "Seconds to wait for Redis.")
# Requests wait for this one: soon enough they are counted by their own process instead.
RATE_LIMIT_TIMEOUT = env.number(
    "RATE_LIMIT_TIMEOUT", 0.15, "Seconds to wait for Redis when a request is counted."
)
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "limits": {
        "BACKEND": "chatsite.core.ratelimit.LimitsCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "chatsite-limits",
        "OPTIONS": {
            "socket_timeout": RATE_LIMIT_TIMEOUT,
            "socket_connect_timeout": RATE_LIMIT_TIMEOUT,
            "max_connections": 100,
        },
    },
    # Where limits are counted, each process for itself, while Redis is away.
    "local": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "limits",
        # Fewer, and counts would be dropped to make room: somebody would be unlimited.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}
CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1)
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of the broker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": REDIS_TIMEOUT,
    "socket_keepalive": True,
    "health_check_interval": 15,
    "max_connections": 50,
    "global_keyprefix": "chatsite:",
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "notifications"
CELERY_TIMEZONE = "UTC"

# --- Visitors and their tokens -------------------------------------------------------------------
JWT_SECRET_KEY = env.secret("JWT_SECRET_KEY", "Signs visitors' tokens. 32 random bytes or more.")
JWT_PREVIOUS_KEYS = env.secrets(
    "JWT_PREVIOUS_KEYS",
    "Earlier JWT_SECRET_KEYs, separated by commas: their tokens stay valid until they expire.",
)
JWT_ALGORITHM = env.one_of(
    "JWT_ALGORITHM", "HS256", ("HS256", "HS384", "HS512"), "How visitors' tokens are signed."
)
JWT_EXPIRE_HOURS = env.integer(
    "JWT_EXPIRE_HOURS", 24, "Hours that a session and its token last.", at_least=1
)
SESSION_IDLE_HOURS = env.number(
    "SESSION_IDLE_HOURS", 8.0, "Hours without a word after which a session ends; 0 for never."
)
SESSIONS_PER_ADDRESS = env.integer(
    "SESSIONS_PER_ADDRESS", 300, "Sessions that an address (IPv6: a /64) has open; 0: any number."
)
SESSIONS_PER_ADDRESS_A_DAY = env.integer(
    "SESSIONS_PER_ADDRESS_A_DAY", 1000, "Sessions that an address opens a day; 0: any number."
)
EMAIL_HASH_KEY = env.secret(
    "EMAIL_HASH_KEY", "Keys the hashes of e-mail addresses and browsers; never change it."
)
EMAIL_VERIFICATION = env.one_of(
    "EMAIL_VERIFICATION",
    "off",
    ("off", "required"),
    "required: a visitor proves the e-mail address with a code that is sent there; off: the "
    "address identifies, and proves nothing.",
)
EMAIL_CODE_MINUTES = env.integer(
    "EMAIL_CODE_MINUTES", 10, "Minutes that a code is good for.", at_least=1
)
_mail = env.mail(
    "EMAIL_URL",
    "Mail server that sends the codes: smtp+tls://user:password@host:587, or smtp+ssl://….",
)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail.get("EMAIL_HOST") or "", _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _mail.get("EMAIL_FILE_PATH") or None
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Chatsite <chatsite@localhost>", "Sender of the codes.")
if EMAIL_VERIFICATION == "required" and not (DEBUG or env.is_set("EMAIL_URL")):
    raise ImproperlyConfigured("EMAIL_VERIFICATION=required sends codes: set EMAIL_URL.")
SIMPLE_JWT = {
    "ALGORITHM": JWT_ALGORITHM,
    "SIGNING_KEY": JWT_SECRET_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=JWT_EXPIRE_HOURS),
    "UPDATE_LAST_LOGIN": False,
}

# --- The HTTP contract ---------------------------------------------------------------------------
CORS_ALLOWED_ORIGINS = env.words(
    "CORS_ALLOWED_ORIGINS",
    "",
    "Origins of the websites that may call the API, exactly as browsers say them.",
)
CORS_URLS_REGEX = r"^/(auth|chat|health)(/|$)"
CORS_ALLOW_METHODS = ("GET", "POST", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "last-event-id",
    "prefer",
    "x-request-id",
)
CORS_EXPOSE_HEADERS = (
    "Idempotency-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)
CORS_PREFLIGHT_MAX_AGE = 7200
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
MAX_MESSAGE_LENGTH = env.integer(
    "MAX_MESSAGE_LENGTH", 4000, "Characters a message may have.", at_least=1
)
MESSAGE_LIMIT = env.integer("MESSAGE_LIMIT", 50, "Messages a session may send.", at_least=1)
CHAT_WAIT_SECONDS = env.number(
    "CHAT_WAIT_SECONDS", 35.0, "Seconds that POST /chat waits for the answer before it answers 202."
)
LONG_POLL_SECONDS = env.number(
    "LONG_POLL_SECONDS", 25.0, "Seconds that GET /chat/events waits where it is not a stream."
)
BACKLOG_LIMIT = env.integer(
    "BACKLOG_LIMIT",
    1000,
    "Questions that may wait for an answer; more are refused with 503.",
    at_least=1,
)
STREAMS_PER_SESSION = env.integer(
    "STREAMS_PER_SESSION", 3, "Event streams that a session may hold open.", at_least=1
)
RATE_LIMITING_ENABLED = env.switch("RATE_LIMITING_ENABLED", True, "Limits below are enforced.")
CHAT_RATE_LIMIT = env.rate("CHAT_RATE_LIMIT", "10/minute", "Messages of one session.")
CHAT_ADDRESS_RATE_LIMIT = env.rate(
    "CHAT_ADDRESS_RATE_LIMIT", "60/minute", "Messages of all sessions of one address."
)
CHAT_EMAIL_RATE_LIMIT = env.rate(
    "CHAT_EMAIL_RATE_LIMIT", "20/minute", "Messages of all sessions of one verified e-mail address."
)
AUTH_EMAIL_RATE_LIMIT = env.rate(
    "AUTH_EMAIL_RATE_LIMIT", "5/15m", "Codes that are sent to one e-mail address."
)
AUTH_RATE_LIMIT = env.rate("AUTH_RATE_LIMIT", "5/minute", "Sign-ins of one address.")
RATELIMIT_USE_CACHE = "limits"
BOT_DETECTION_ENABLED = env.switch(
    "BOT_DETECTION_ENABLED", True, "Refuse short user agents, and judge behaviour (docs/bots.md)."
)
BOT_SLOW_POINTS = env.integer(
    "BOT_SLOW_POINTS", 2, "Points from which a session has the limit BOT_RATE_LIMIT.", at_least=1
)
BOT_WAIT_POINTS = env.integer(
    "BOT_WAIT_POINTS", 4, "Points from which a session has to wait.", at_least=1
)
BOT_RATE_LIMIT = env.rate("BOT_RATE_LIMIT", "3/minute", "Messages of one suspected session.")
BOT_WAIT_SECONDS = env.integer("BOT_WAIT_SECONDS", 60, "Seconds of such a wait.", at_least=1)
BOT_SESSIONS_PER_ADDRESS = env.integer(
    "BOT_SESSIONS_PER_ADDRESS",
    20,
    "Sessions of one address that post within ten minutes and are suspected, each; 0: any number.",
)
MIN_USER_AGENT_LENGTH = env.integer(
    "MIN_USER_AGENT_LENGTH", 10, "Characters a user agent must have."
)
SCREENING_ACTION = env.one_of(
    "SCREENING_ACTION",
    "answer",
    ("answer", "label"),
    "answer: attacks get the safety answer; label: they are only labelled.",
)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["sessions_app.authentication.VisitorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["sessions_app.authentication.IsVisitor"],
    "DEFAULT_PARSER_CLASSES": ["chatsite.core.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chatsite.core.parsers.JSONOnly",
    "EXCEPTION_HANDLER": "chatsite.core.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_VERSIONING_CLASS": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Chatsite",
    "DESCRIPTION": "Chat with an AI and with the people behind it. See docs/api.md.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.1",
    "DEFAULT_GENERATOR_CLASS": "chatsite.schema.Generator",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "AnswerStatus": "chat_app.models.AnswerStatus",
        "PostStatus": "chat_app.serializers.POST_STATUSES",
    },
}

# --- Staff ---------------------------------------------------------------------------------------
STAFF_NAME = env.text("STAFF_NAME", "Support team", "Who visitors see when staff answers.")
SITE_URL = env.text(
    "SITE_URL", "", "This site's own address (https://chat.example.com), for links to its admin."
)

ADMIN_LOGIN_RATE_LIMIT = env.rate(
    "ADMIN_LOGIN_RATE_LIMIT", "5/minute", "Tries of one address to sign in to the admin."
)
ADMIN_SESSION_HOURS = env.integer(
    "ADMIN_SESSION_HOURS", 12, "Hours without a page after which staff sign in again.", at_least=1
)
SESSION_COOKIE_AGE = ADMIN_SESSION_HOURS * 3600

# --- Answers -------------------------------------------------------------------------------------
GOOGLE_API_KEY = env.secret("GOOGLE_API_KEY", "Key for Gemini; makes it the default model.")
LLM_MODEL = env.text(
    "LLM_MODEL",
    "gemini/gemini-2.5-flash-lite" if GOOGLE_API_KEY else "",
    "Model, as litellm names it. With GOOGLE_API_KEY set, gemini/gemini-2.5-flash-lite.",
)
LLM_FALLBACK_MODELS = env.words(
    "LLM_FALLBACK_MODELS", "", "Models to ask when the first fails, in order."
)
LLM_API_BASE = env.text("LLM_API_BASE", "", "Base URL of an OpenAI-compatible provider.")
LLM_API_KEY = env.secret("LLM_API_KEY", "Key for the provider; for Gemini set GOOGLE_API_KEY.")
LLM_TEMPERATURE = env.number("LLM_TEMPERATURE", 0.7, "Sampling temperature.")
LLM_MAX_TOKENS = env.integer("LLM_MAX_TOKENS", 500, "Tokens an answer may have.", at_least=1)
LLM_TIMEOUT = env.number("LLM_TIMEOUT", 30.0, "Seconds that one call of a model may take.")
LLM_TOTAL_TIMEOUT = env.number(
    "LLM_TOTAL_TIMEOUT", 60.0, "Seconds that an answer may take, retries and fallbacks included."
)
LLM_FIRST_TOKEN_TIMEOUT = env.number(
    "LLM_FIRST_TOKEN_TIMEOUT", 20.0, "Seconds until a streamed answer must begin."
)
LLM_GAP_TIMEOUT = env.number("LLM_GAP_TIMEOUT", 15.0, "Seconds that a streamed answer may pause.")
LLM_BREAKER_FAILURES = env.integer(
    "LLM_BREAKER_FAILURES", 5, "Failures in a row after which a model is spared.", at_least=1
)
LLM_BREAKER_SECONDS = env.number(
    "LLM_BREAKER_SECONDS",
    30.0,
    "Seconds that it is spared at most before one call tries it; at first a fifteenth of it.",
)
LLM_CONTEXT_MESSAGES = env.integer(
    "LLM_CONTEXT_MESSAGES", 8, "Earlier messages that the model is shown."
)
LLM_CONTEXT_TOKENS = env.integer(
    "LLM_CONTEXT_TOKENS", 3000, "Tokens, estimated, that they and the question may have in all."
)
LLM_SYSTEM_PROMPT_FILE = env.text(
    "LLM_SYSTEM_PROMPT_FILE",
    str(BASE_DIR / "chat_app" / "system_prompt.txt"),
    "File with the instructions that the model is given.",
)
LLM_MARK_USER_TEXT = env.switch(
    "LLM_MARK_USER_TEXT", True, "The model is shown visitors' words between marks, as data."
)
LLM_FALLBACK_TEXT = env.text(
    "LLM_FALLBACK_TEXT",
    "Sorry, I could not find an answer just now. Please try again in a moment.",
    "What a visitor reads when no model could answer.",
)
LLM_BUDGET_TEXT = env.text(
    "LLM_BUDGET_TEXT",
    "We have answered all the questions that we can today. Please try again tomorrow.",
    "What a visitor reads when the day's budget is spent.",
)
DAILY_TOKENS = env.integer(
    "DAILY_TOKENS", 50_000_000, "Tokens that all answers of a day (UTC) may take; 0: any number."
)
DAILY_COST = env.number(
    "DAILY_COST", 20.0, "US dollars that all answers of a day may cost; 0: any sum."
)
SESSION_DAILY_TOKENS = env.integer(
    "SESSION_DAILY_TOKENS", 300_000, "Tokens that a session's answers may take a day; 0: any."
)
SESSION_DAILY_COST = env.number(
    "SESSION_DAILY_COST", 2.0, "US dollars that a session's answers may cost a day; 0: any sum."
)
REPLIES_CONCURRENCY = env.integer(
    "REPLIES_CONCURRENCY", 200, "Answers that one replies worker makes at once.", at_least=1
)
REPLIES_DRAIN_SECONDS = env.number(
    "REPLIES_DRAIN_SECONDS", 8.0, "Seconds a stopping worker lets its answers finish."
)
ANSWER_ATTEMPTS = env.integer(
    "ANSWER_ATTEMPTS", 3, "Times an answer is tried before it fails.", at_least=1
)
ANSWER_LEASE_SECONDS = env.number(
    "ANSWER_LEASE_SECONDS", 10.0, "Seconds after which a silent worker's answer is taken over."
)

# --- Discord -------------------------------------------------------------------------------------
DISCORD_ENABLED = env.switch("DISCORD_ENABLED", False, "Conversations are mirrored to Discord.")
DISCORD_BOT_TOKEN = env.secret("DISCORD_BOT_TOKEN", "The bot's token.")
DISCORD_CHANNEL_ID = env.text("DISCORD_CHANNEL_ID", "", "Channel in which threads are opened.")
DISCORD_GUILD_ID = env.text(
    "DISCORD_GUILD_ID", "", "The server's id, for links from the admin into its threads."
)
DISCORD_NOTIFY_MESSAGES = env.switch(
    "DISCORD_NOTIFY_MESSAGES", True, "Off: only the opening of a conversation is mirrored."
)
DISCORD_SHOW_PERSONAL_DATA = env.switch(
    "DISCORD_SHOW_PERSONAL_DATA",
    False,
    "Show e-mail addresses whole, and IP addresses, in Discord; off: masked, behind *Reveal*.",
)
DISCORD_MODERATOR_ROLE_IDS = env.words(
    "DISCORD_MODERATOR_ROLE_IDS",
    "",
    "Roles whose members may act; besides them, whoever may manage the channel.",
)
DISCORD_REPLY_MODE = env.one_of(
    "DISCORD_REPLY_MODE",
    "commands",
    ("commands", "every_message"),
    "commands: only /reply and Reply reach the visitor; every_message: all that moderators write.",
)
DISCORD_SHOW_MODERATOR_NAME = env.switch(
    "DISCORD_SHOW_MODERATOR_NAME", False, "Visitors see a moderator's name instead of STAFF_NAME."
)
DISCORD_API_BASE = env.text(
    "DISCORD_API_BASE", "https://discord.com/api/v10", "Base URL of Discord's REST API."
)
DISCORD_GATEWAY_URL = env.text(
    "DISCORD_GATEWAY_URL", "wss://gateway.discord.gg/", "URL of Discord's gateway."
)
DISCORD_CONCURRENCY = env.integer(
    "DISCORD_CONCURRENCY", 8, "Threads that are written to at once.", at_least=1
)
DISCORD_LEASE_SECONDS = env.number(
    "DISCORD_LEASE_SECONDS", 20.0, "Seconds after which a silent worker's delivery is taken over."
)

# --- The widget ----------------------------------------------------------------------------------
DEMO_PAGE = {"auto": DEBUG, "on": True, "off": False}[
    env.one_of(
        "DEMO_PAGE", "auto", ("auto", "on", "off"), "The demo shop at `/`; auto: while DEBUG is on."
    )
]
WIDGET_CONSENT = env.text(
    "WIDGET_CONSENT", "", "What a visitor agrees to in the widget, in place of its own sentence."
)
WIDGET_RETENTION = env.text(
    "WIDGET_RETENTION", "", "How long conversations are kept, in place of the widget's sentence."
)
WIDGET_PRIVACY_URL = env.text(
    "WIDGET_PRIVACY_URL", "", "Address of the privacy policy that the widget links to."
)

# --- Pages ---------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
if not DEBUG:  # browsers take these from this host alone, by TLS, for all paths (ASVS V3.3.1)
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = 0 if DEBUG else 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.W001",  # Django's own RedisCache: measured atomic (ADR 0004)
    "security.W001",  # SecurityMiddleware: core.middleware sets its headers, async
    "security.W002",  # XFrameOptionsMiddleware: the same
    "security.W003",  # CsrfViewMiddleware: core.pages has it, for pages; the API has no cookies
    "security.W008",  # SSL redirect: the front proxy's, which alone sees plain HTTP
]

LOGGING_CONFIG = "chatsite.core.logs.configure"
LOGGING = {"level": LOG_LEVEL, "format": LOG_FORMAT}
