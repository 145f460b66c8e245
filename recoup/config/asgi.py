"""The entry that granian serves: the front, and behind it the application in its threads (T14)."""

from pathlib import Path
from typing import Any

from django.conf import settings

from recoup.config.front.bodies import Bodies, Limits, Wanted
from recoup.config.front.door import Front
from recoup.config.front.threads import Application, Environ, Threads
from recoup.config.wsgi import application as django
from recoup.core.callers import client_of
from recoup.hooks.middleware import LARGEST_BODY, PREFIX

THREADS = 4
# A form of a person may carry a file; a little more than the file itself is around it.
LARGEST_UPLOAD = 201 * 1024 * 1024


def make_front(behind: Application) -> Front:
    """Return the front before an application."""
    folder = Path(settings.VAR_DIR) / "incoming"  # not /tmp, which is memory on some machines
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Front(
        bodies=Bodies(Limits(seconds=settings.BODY_SECONDS), folder),
        threads=Threads(behind, threads=THREADS),
        wants=wanted_by,
    )


def wanted_by(environ: Environ) -> Wanted:
    """Return what a request may bring: much only one that says it is of somebody who is signed in."""
    client = client_of(environ)
    is_hook = environ["PATH_INFO"].startswith(PREFIX)
    is_known = f"{settings.SESSION_COOKIE_NAME}=" in environ.get("HTTP_COOKIE", "")
    if is_known and not is_hook:
        return Wanted(client, most=LARGEST_UPLOAD, is_steady=True)
    return Wanted(client, most=LARGEST_BODY, is_steady=False)


application: Any = make_front(django)
