"""Taking calls out of the spool into the inbox, as if they came when they came."""

import structlog

from recoup.core import inbox
from recoup.core.clock import trade_offset
from recoup.hooks import spool
from recoup.hooks.calls import call_of, flag_conflict
from recoup.hooks.known import known_source
from recoup.hooks.spool import SpooledCall
from recoup.shops.ports import CallUnreadable, SignatureRefused

log = structlog.get_logger(__name__)


def drain_spool() -> int:
    """Keep every call that waits on this machine, in order, once; return how many were taken out of the spool.

    The worker's loop calls this, and the web process that spooled. While the database is away it raises what the driver
    raises, and the calls stay.
    """
    return spool.drain(_take)


def _take(call: SpooledCall) -> None:
    known = known_source(call.key)
    if known is None:
        log.warning("hooks.spool.unknown_source", key=call.key)
        return
    headers = dict(call.headers)
    if not call.is_checked:
        try:
            known.platform.check_call(known.source, call.raw, headers, now=call.received_at)
        except (SignatureRefused, CallUnreadable):
            log.warning("hooks.spool.unsigned", key=call.key)
            return
    peek = known.platform.peek(call.raw, headers)
    kept = inbox.keep(call_of(known, call.raw, headers, peek, received_at=call.received_at + trade_offset()))
    if kept.is_new_conflict:
        flag_conflict(known, kept)
