"""The demo's own mailbox: the one server on this machine that a demo hands mail to. At another port a relay may listen."""

import os

from django.conf import settings

from recoup.messaging.models import MailAccount

HOST = "127.0.0.1"
PORT_NAME = "RECOUP_DEMO_MAILBOX_PORT"  # the environment of every program of a demo names the port
USUAL_PORT = 8025


def port() -> int:
    """Return the port at which the mailbox of this demo listens."""
    return int(os.environ.get(PORT_NAME, USUAL_PORT))


def is_foreign(account: MailAccount) -> bool:
    """Tell whether a demo must not talk to this server; outside of a demo every server is a shop's own."""
    return settings.IS_DEMO and (account.host, account.port) != (HOST, port())
