"""Settings, read from the environment; unsafe production settings refuse to start (`config.safety`)."""

import os
from pathlib import Path
from typing import Any

import django_stubs_ext

from recoup.config import environment
from recoup.core.public_address import hosts_of

django_stubs_ext.monkeypatch()  # lets annotations such as `models.JSONField[Any, Any]` stand at run time

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = environment.var_dir(BASE_DIR)
IS_DEMO = environment.flag("RECOUP_DEMO")
IS_TEST = environment.flag("RECOUP_TEST")
DEBUG = False
PUBLIC_URLS, IS_ADDRESS_FIXED = environment.public_addresses(is_demo=IS_DEMO or IS_TEST, var=VAR_DIR)
PUBLIC_URL = PUBLIC_URLS[0] if PUBLIC_URLS else ""  # `core.public_address` puts a new one here while we run
SECRET_KEY, SECRETS_KEYS, ADDRESS_KEY = environment.secret_keys(VAR_DIR)
ALLOWED_HOSTS = hosts_of(PUBLIC_URLS)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

# Bottom to top, the order of the layers contract in pyproject.toml.
PARTS = [
    "recoup.core",
    "recoup.accounts",
    "recoup.shops",
    "recoup.customers",
    "recoup.catalog",
    "recoup.orders",
    "recoup.payments",
    "recoup.offers",
    "recoup.messaging",
    "recoup.storefront",
    "recoup.segments",
    "recoup.desk",
    "recoup.recovery",
    "recoup.processes",
    "recoup.analytics",
    "recoup.integrations",
    "recoup.hooks",
    "recoup.web",
    "recoup.demo",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    *PARTS,
    "recoup.config",
]
MIDDLEWARE = [
    "recoup.web.middleware.AddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "recoup.web.middleware.SecureAnswersMiddleware",
    "recoup.hooks.middleware.MachinesFirst",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "recoup.web.middleware.PersonLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "recoup.web.middleware.PersonLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "recoup.config.urls"
WSGI_APPLICATION = "recoup.config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "recoup" / "web" / "templates"],  # ours stand before allauth's of the same name
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "recoup.web.context.shell",
            ],
        },
    }
]
DATABASES = {"default": environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # One table for all processes, so that rate limits of sign-in are shared. Django's 300 entries would be full, and
    # counters of guesses dropped, once a few hundred addresses try (R35, T123).
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "core_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "recoup.accounts.passwords.NotTheirOwn"},
    {"NAME": "recoup.accounts.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "recoup.accounts.passwords.NotEverybodys"},
]
ACCOUNT_ADAPTER = "recoup.web.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Wrong passwords: of one address, and of one account from wherever they come (R35: 20 in an hour at most).
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key,20/h/key"}
MFA_ADAPTER = "recoup.web.sign_in.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Recoup"
MFA_TOTP_TOLERANCE = 1  # clocks of telephones are not exact
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pl", "Polski"), ("ru", "Русский"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "recoup" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"  # `recoup init` may collect there; files are found without it
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"

IS_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_NAME = "__Host-session" if IS_SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_SECURE else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_SSL_REDIRECT = IS_SECURE
# Asked by balancers and by ourselves over http; it says nothing of people.
SECURE_REDIRECT_EXEMPT = [r"^health$"]
SECURE_PROXY_SSL_HEADER = environment.proxy_header()
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not "no-referrer": with that browsers send "Origin: null" with our own forms, and the check against forgery refuses them.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
# How long the body of a request may take to come in whole (T14); a file that keeps coming may take longer.
BODY_SECONDS = environment.seconds("RECOUP_BODY_SECONDS", usual=30, most=300)
APPEND_SLASH = True
LOGGING_CONFIG = "recoup.config.logs.configure"
LOGGING: dict[str, Any] = {"version": 1}  # of an empty one Django would make nothing
TEST_RUNNER = "django.test.runner.DiscoverRunner"
os.environ.setdefault("TZ", "UTC")
