"""Settings, read strictly from the environment (the README lists every variable). No URL given: embedded servers."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

# A machine that was given a secret is not somebody's desk: it has to ask for DEBUG.
SECRET_KEY = env.text("SECRET_KEY")
DEBUG = env.flag("DEBUG", default=not SECRET_KEY)
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY must be set when DEBUG=0: a long random text, kept secret.")
    SECRET_KEY = "insecure-development-key-for-localhost-only-" + "0" * 20

ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if DEBUG else ())
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")

# --- What is installed ---

INSTALLED_APPS = [
    "calls",
    "campaigns",
    "crm",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "config.apps.StaticFiles",
    "axes",
    "csp",
    "django_htmx",
    "django_linear_migrations",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "pgtrigger",
    "rest_framework",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.doors.PagePolicy",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Who comes with a token goes straight to the API; the rest is for sessions and pages.
    "config.doors.TokenDoor",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "config.first_password.FirstPassword",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.refusals.PageRefusals",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"frame": "config.frame"},
        },
    },
]

# --- PostgreSQL and Redis ---

DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL")
if not (DATABASE_URL and REDIS_URL):
    from config import embedded

    DATABASE_URL = DATABASE_URL or embedded.postgres_url(VAR_DIR)
    REDIS_URL = REDIS_URL or embedded.redis_url(VAR_DIR)

WEB_CONCURRENCY = env.integer("WEB_CONCURRENCY", default=4, minimum=1)
# 0: no pool. The web's entry point sets it to the threads of one process.
DATABASE_POOL_SIZE = env.integer("DATABASE_POOL_SIZE", default=0)

DATABASES = {"default": env.database(DATABASE_URL)}
# A forgotten transaction would hold its locks, and the reading of changes, for ever.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c idle_in_transaction_session_timeout=60s")
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", "5")
# For `crm.selectors.prepared` alone: Django's own cursors never prepare.
if env.flag("DATABASE_PREPARE", default=True):
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 0
# One that died in the pool (the server was restarted) is replaced before a request meets it: see `config.database`.
if DATABASE_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 10}
# Poolers that hand out a connection per transaction cannot keep a cursor open on the server.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DATABASES["default"]["TEST"] = {
    "NAME": "_".join(["test_courtois", *filter(None, [env.text("COURTOIS_TEST_SUFFIX")])])
}

# An absent Redis is noticed at once and done without: nobody waits for it during a call.
REDIS_NO_RETRY = Retry(NoBackoff(), 0)
REDIS_CACHE_URL = env.cache(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgivingRedisCache",
        "LOCATION": REDIS_CACHE_URL,
        "KEY_PREFIX": "courtois",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": REDIS_NO_RETRY},
    }
}

CELERY_BROKER_URL = env.broker(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "max_retries": 0}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# Each job is a row first, so a tick that nobody took is dropped: the next one finds the same rows.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    name: {"task": name, "schedule": timedelta(seconds=seconds), "options": {"expires": seconds}}
    for name, seconds in {
        "calls.expire_leases": 10,
        "calls.release_callbacks": 60,
        "calls.keep_promises": 30,
        "calls.send_follow_ups": 30,
        "calls.forget_presses": 3_600,
        "campaigns.move_due_entries": 30,
        "campaigns.wake_imports": 10,
        "campaigns.purge_uploads": 3_600,
        "crm.forget_changes": 3_600,
        "calls.dispatch_webhooks": 2,
        "crm.send_webhooks": 5,
        "crm.forget_deliveries": 3_600,
    }.items()
}

#: Minutes after which a due callback whose agent is not there is everybody's.
CALLBACK_RELEASE_MINUTES = env.integer("CALLBACK_RELEASE_MINUTES", default=30, minimum=1)

# --- Who comes in ---

AUTH_USER_MODEL = "crm.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "config.sessions.Accounts",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "crm.views.session.locked_out"

SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = "Lax"

# --- What leaves the server ---

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_SSL_REDIRECT = not DEBUG
# Load balancers ask for health inside the network, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Production runs behind a proxy that ends TLS and sets this header itself (see the README).
SECURE_PROXY_SSL_HEADER = None if DEBUG else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The softphone of the browser: SIP over WebSocket on any PBX.
SIP = {
    "websocket_url": env.text("SIP_WEBSOCKET_URL"),
    "domain": env.text("SIP_DOMAIN"),
    "stun_url": env.text("SIP_STUN_URL"),
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF, *filter(None, [SIP["websocket_url"]])],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        # Bootstrap draws its check marks and arrows from data: images in its style sheet.
        "img-src": [SELF, "data:"],
        "manifest-src": [SELF],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

# --- Static files ---

# Collected once, with far-future addresses; the alternative serves the sources as they are edited (`runserver`).
STATIC_COLLECTED = env.flag("STATIC_COLLECTED", default=not DEBUG)
TABLER = BASE_DIR / "node_modules" / "@tabler" / "core" / "dist" / "css"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static"]
if TABLER.is_dir():
    STATICFILES_DIRS.append(("vendor/tabler/css", TABLER))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "config.static.DeliveredStaticFiles"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not STATIC_COLLECTED
MEDIA_ROOT = VAR_DIR / "media"

# --- Language and time ---

LANGUAGE_CODE = env.text("LANGUAGE_CODE", "fr")
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = env.text("TIME_ZONE", "Europe/Paris")
USE_I18N = USE_TZ = True
# What a reader chose outlives the session.
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not DEBUG

# --- Bans ---

# After so many months a ban ends by itself, unless the manager who grants it says otherwise.
BAN_MONTHS = env.integer("BAN_MONTHS", default=12, minimum=1)

# --- Imports ---

# What a list may be at most; above it a file is refused with a sentence that says so.
IMPORT_MAX_BYTES = env.integer("IMPORT_MAX_BYTES", default=1024**3, minimum=1)
IMPORT_MAX_ROWS = env.integer("IMPORT_MAX_ROWS", default=2_000_000, minimum=1)
IMPORT_MAX_COLUMNS = env.integer("IMPORT_MAX_COLUMNS", default=500, minimum=1)
IMPORT_MAX_CELL = env.integer("IMPORT_MAX_CELL", default=65_536, minimum=1)
# A workbook is an archive: what it may inflate to, in bytes and as a multiple of its packed size.
IMPORT_MAX_INFLATED_BYTES = env.integer("IMPORT_MAX_INFLATED_BYTES", default=2 * 1024**3, minimum=1)
IMPORT_MAX_INFLATION = env.integer("IMPORT_MAX_INFLATION", default=200, minimum=1)
# Workers that are at one import at once; the others stay free for calls.
IMPORT_WORKERS = env.integer("IMPORT_WORKERS", default=4, minimum=1)
# Rows that a worker does at a time: small enough that an agent who bars a number meanwhile waits for some tenths of a
# second at most.
IMPORT_CHUNK_ROWS = env.integer("IMPORT_CHUNK_ROWS", default=2_000, minimum=1)
# Days after which a file that was uploaded and never imported is forgotten.
IMPORT_KEEP_UPLOADS_DAYS = env.integer("IMPORT_KEEP_UPLOADS_DAYS", default=30, minimum=1)

# --- E-mail ---

# Without a server, development writes its messages into var/mail, and elsewhere no follow-up is offered.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", default=587, minimum=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=bool(EMAIL_HOST) and not EMAIL_USE_SSL)
if EMAIL_USE_SSL and EMAIL_USE_TLS:
    raise ImproperlyConfigured("EMAIL_USE_SSL and EMAIL_USE_TLS exclude each other.")
EMAIL_TIMEOUT = env.integer("EMAIL_TIMEOUT", default=20, minimum=1)
# The address that messages come from; somebody reads what is answered to it.
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "courtois@localhost")
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_OFFERED = DEBUG or bool(EMAIL_HOST)

# --- API ---

# Requests a minute of one user, above which the answer is 429; 0: no limit. An agent's calls are not counted.
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", default=3000)

# Days for which `changes/` is kept: a program that was away for longer reads the lists again.
CHANGES_KEPT_DAYS = env.integer("CHANGES_KEPT_DAYS", default=30, minimum=1)

# --- Webhooks ---

# Development: messages may go to this machine, also by plain http. Anywhere else it would open our own network.
WEBHOOK_ALLOW_LOCAL = env.flag("WEBHOOK_ALLOW_LOCAL", default=False)
# Workers that send at once, each to many receivers; the others stay free for calls.
WEBHOOK_WORKERS = env.integer("WEBHOOK_WORKERS", default=1, minimum=1)
# Messages on their way to one receiver at once; to one that fails, one.
WEBHOOK_AT_ONCE = env.integer("WEBHOOK_AT_ONCE", default=8, minimum=1)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "crm.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "crm.api.schema.ExactSchema",
    "EXCEPTION_HANDLER": "crm.api.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Courtois",
    "DESCRIPTION": "Courteous outbound calls: prospects, campaigns, calls and exclusions.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api_examples.add_examples",
        "crm.api.problem_shapes.add_problems",
    ],
    # The names of the code: what several shapes have is not to be named by one of them.
    "ENUM_NAME_OVERRIDES": {
        "GivenReasonEnum": "campaigns.api.exclusions.BY_HAND",
        "AnswerKindEnum": "calls.enums.AnswerKind",
        "AnsweredByEnum": "calls.enums.AnsweredBy",
        "BanStateEnum": "calls.enums.BanState",
        "BarTargetEnum": "campaigns.enums.BarTarget",
        "CallStateEnum": "calls.enums.CallState",
        "CallbackStateEnum": "calls.enums.CallbackState",
        "CampaignStatusEnum": "campaigns.enums.CampaignStatus",
        "CauseEnum": "calls.enums.Cause",
        "ChannelEnum": "crm.enums.Channel",
        "ClosingKindEnum": "campaigns.enums.ClosingKind",
        "DecisionEnum": "calls.enums.Decision",
        "EntryStateEnum": "campaigns.enums.EntryState",
        "EvidenceEnum": "calls.enums.Evidence",
        "ExclusionReasonEnum": "campaigns.enums.ExclusionReason",
        "GateEnum": "campaigns.enums.Gate",
        "HungUpByEnum": "calls.enums.HungUpBy",
        "ImportStateEnum": "campaigns.enums.ImportState",
        "IncidentKindEnum": "calls.enums.IncidentKind",
        "ModeEnum": "calls.enums.Mode",
        "NumberKindEnum": "crm.enums.NumberKind",
        "OperatorEnum": "campaigns.enums.Operator",
        "ProspectKindEnum": "crm.enums.ProspectKind",
        "PurposeEnum": "campaigns.enums.Purpose",
        "ReachEnum": "campaigns.enums.Reach",
        "ResultEnum": "calls.enums.Result",
        "ScopeEnum": "campaigns.enums.Scope",
        "StartedByEnum": "calls.enums.StartedBy",
        "StepEnum": "campaigns.enums.Step",
        "ValidityEnum": "crm.enums.Validity",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Logs ---

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    # Every login is no news, and names a person.
    "loggers": {"axes": {"level": "WARNING"}},
}
