"""The name that a message goes by outside, fixed when it is queued: a second try is the same message."""

from recoup.messaging.mime.writer import new_message_id


def new_message_ref(channel: str, domain: str, key: str) -> str:
    """Return a mail's Message-ID without its brackets; for other channels what stands before the @."""
    ref = new_message_id(domain, key)[1:-1]
    return ref if channel == "email" else ref.partition("@")[0]
