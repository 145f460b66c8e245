"""The watchdog: a process of its own that notices when the others have stopped, and tells the owners (peer 14, R48).

It shares no path with what it watches: no worker loop, no lane, no template. It reads beats and the oldest due message, and
writes to the owners over the shop's mail server itself.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import translation
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.accounts.roles import Role
from recoup.core import heartbeat
from recoup.core.clock import real_now
from recoup.core.ratelimit import is_allowed
from recoup.integrations.smtp.plain import MailNotSent, send_plain
from recoup.messaging.models import MailAccount
from recoup.shops.models import Membership
from recoup.web.health import troubles

log = structlog.get_logger(__name__)

LOOK_EVERY = 30.0  # seconds
TELL_AGAIN_AFTER = timedelta(hours=6)


def run() -> None:
    """Look again and again, until killed."""
    while True:
        try:
            with scopes_disabled():
                look(now=real_now())
        except DatabaseError as error:
            log.error("watchdog.database", error=repr(error))
            close_old_connections()
        time.sleep(LOOK_EVERY)


def look(*, now: datetime) -> list[str]:
    """Look once; tell every owner about new troubles. `now` is real time. Returns the codes of the troubles found."""
    found = troubles(now=now)
    heartbeat.beat("watchdog", now=now, troubles=found)
    fresh = [code for code in found if is_allowed(f"watchdog:{code}", limit=1, per=TELL_AGAIN_AFTER)]
    if fresh:
        log.error("watchdog.troubles", codes=fresh)
        for membership in Membership.objects.filter(role=Role.OWNER).select_related("user", "shop"):
            _tell(membership.user, membership.shop_id, fresh)
    return found


def words(code: str) -> str:
    """Return a trouble in words with what to do."""
    kind = code.split(":", 1)[0]
    return {
        "loop_silent": _(
            "A part of the worker has stopped. Restart the worker: recoup run, or recoup worker."
        ),
        "worker_missing": _("No worker runs, so nothing is sent. Start it: recoup run, or recoup worker."),
        "messages_late": _("Messages are due and do not leave. Look at the mail settings and at Messages."),
        "disk_low": _("The disk is nearly full. Sending stops before it is. Free some space."),
        "inbox_late": _("News of the shop is waiting to be read. Look at Settings, Sources."),
    }.get(kind, code)


def _tell(user: User, shop_id: int, codes: list[str]) -> None:
    account = MailAccount.objects.filter(shop_id=shop_id).first()
    if account is None or not account.host:
        return
    with translation.override(user.language):
        subject, lines = _("Recoup needs attention"), [words(code) for code in codes]
    text = "\n\n".join([*lines, f"{settings.PUBLIC_URL}/health"])
    try:
        send_plain(account, to=user.email, subject=subject, text=text)
    except MailNotSent as error:
        log.error("watchdog.mail_failed", shop_id=shop_id, reason=str(error))
