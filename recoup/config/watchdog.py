"""The watchdog: a process of its own that notices when the others have stopped, and tells the owners (peer 14, R48).

It shares no path with what it watches: no worker loop, no lane, no template. It reads beats and the oldest due message, and
writes to the owners over the shop's mail server itself. Whom it told what stands in its beat, so that a restart repeats
nothing; whom it can write to it also remembers, because a database that is away cannot be asked.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import translation
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.core import heartbeat
from recoup.core.clock import real_now
from recoup.core.fields import SecretUnreadable
from recoup.core.installation import may_write_from_here
from recoup.core.models import Heartbeat
from recoup.core.public_address import hear_of_new_address
from recoup.integrations.smtp.plain import MailNotSent, send_plain
from recoup.messaging.models import MailAccount
from recoup.shops.models import Membership
from recoup.web.health import troubles

log = structlog.get_logger(__name__)

LOOK_EVERY = 30.0  # seconds
TELL_AGAIN_AFTER = timedelta(hours=6)
TRY_AGAIN_AFTER = timedelta(minutes=2)  # after a mail that failed; a server that hangs holds a look for long
# A trouble that has healed is told anew when it returns, but not a mail a minute while something comes and goes.
LEAST_PEACE = timedelta(minutes=5)
AWAY_AFTER = timedelta(minutes=2)  # a database that restarts is no trouble yet
NAME, AWAY = "watchdog", "database_away"

Told = dict[str, dict[str, datetime]]  # owner -> trouble -> from when on it may be told again


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody to write to, and the mail servers of the shops that are theirs, the first that works being used."""

    key: str
    email: str
    language: str
    accounts: tuple[MailAccount, ...]


class Watchdog:
    """What is known between two looks."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.told: Told = {}
        self.owners: list[Owner] = []  # empty also where nobody may be written to
        self.try_again_at: dict[str, datetime] = {}
        self.away_since: datetime | None = None

    def look(self, *, now: datetime) -> list[str]:
        """Look once; tell every owner about what is new to them. `now` is real time. Returns the codes of the troubles."""
        try:
            return self._look(now)
        except (DatabaseError, InterfaceError) as error:
            log.error("watchdog.database", error=repr(error))
            return self._miss_database(now)

    def _look(self, now: datetime) -> list[str]:
        found = troubles(now=now)
        if self.away_since is None:  # else memory knows more than the beat
            self.told = _stored()
        self.owners = _owners() if may_write_from_here(now=now) else []
        _heal(self.told, found, now)
        self._beat(found, now)
        self.away_since = None
        if self._tell_all(found, now):
            self._beat(found, now)
        return found

    def _miss_database(self, now: datetime) -> list[str]:
        self.away_since = self.away_since or now
        found = [AWAY] if now - self.away_since >= AWAY_AFTER else []
        self._tell_all(found, now)
        return found

    def _beat(self, found: list[str], now: datetime) -> None:
        told = {
            owner: {code: at.isoformat() for code, at in codes.items()} for owner, codes in self.told.items()
        }
        heartbeat.beat(NAME, now=now, troubles=found, told=told)

    def _tell_all(self, found: list[str], now: datetime) -> bool:
        """Tell each owner what they have not been told; tell whether anybody was."""
        if found != self.found:
            self.found = found
            (log.error if found else log.info)("watchdog.troubles", codes=found)
        told = False
        for owner in self.owners:
            known = self.told.get(owner.key, {})
            fresh = [code for code in found if known.get(code, now) <= now]
            if not fresh or self.try_again_at.get(owner.key, now) > now:
                continue
            if _tell(owner, fresh):
                self.told[owner.key] = known | dict.fromkeys(fresh, now + TELL_AGAIN_AFTER)
                told = True
            else:
                self.try_again_at[owner.key] = now + TRY_AGAIN_AFTER
        return told


def run() -> None:
    """Look again and again, until killed. What was started together with it has the time of a look to get up."""
    watchdog = Watchdog()
    while True:
        time.sleep(LOOK_EVERY)
        with scopes_disabled():
            watchdog.look(now=real_now())
        if watchdog.away_since is not None:
            close_old_connections()


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
        AWAY: _("The database does not answer, so nothing is received or sent. Run: recoup doctor."),
    }.get(kind, code)


def _stored() -> Told:
    """Return what an earlier look told, also one of an earlier start."""
    beat = Heartbeat.objects.filter(name=NAME).first()
    stored = beat.details.get("told", {}) if beat is not None else {}
    return {
        owner: {code: datetime.fromisoformat(at) for code, at in codes.items()}
        for owner, codes in stored.items()
    }


def _heal(told: Told, found: Iterable[str], now: datetime) -> None:
    """Let what is over be told anew when it returns, and forget what has long been over."""
    for codes in told.values():
        for code in set(codes) - set(found):
            codes[code] = min(codes[code], now + LEAST_PEACE)
            if codes[code] <= now:
                del codes[code]


def _owners() -> list[Owner]:
    """Return the owners who can be written to, each once however many shops are theirs."""
    try:
        accounts = {account.shop_id: account for account in MailAccount.objects.exclude(host="")}
    except SecretUnreadable as error:
        log.error("watchdog.no_servers", error=repr(error))
        return []
    memberships = (
        Membership.objects.filter(role=Role.OWNER, user__is_active=True, shop_id__in=accounts)
        .select_related("user")
        .order_by("user_id", "shop_id")
    )
    owners = []
    for user, theirs in groupby(memberships, key=lambda membership: membership.user):
        own = tuple(accounts[membership.shop_id] for membership in theirs)
        owners.append(Owner(str(user.pk), user.email, user.language, own))
    return owners


def _tell(owner: Owner, codes: list[str]) -> bool:
    """Write to an owner over the first of their mail servers that takes it; tell whether one did."""
    with translation.override(owner.language):
        hear_of_new_address()
        subject, lines = _("Recoup needs attention"), [words(code) for code in codes]
    text = "\n\n".join([*lines, f"{settings.PUBLIC_URL}/health"])
    for account in owner.accounts:
        try:
            send_plain(account, to=owner.email, subject=subject, text=text)
        except MailNotSent as error:
            log.error("watchdog.mail_failed", shop_id=account.shop_id, reason=str(error))
        else:
            return True
    return False
