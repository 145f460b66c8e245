"""What people write to stop or to go on, in the languages of the shops; a whole message of it, not a word in one."""

_STOP = {
    "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout",
    "stopp", "abmelden", "austragen",
    "wypisz", "rezygnuję", "rezygnuje", "koniec",
    "стоп", "отписка", "отписаться", "отпишите",
}  # fmt: skip
_START = {"start", "unstop", "старт", "wznów", "wznow"}


def wish_of(text: str) -> str:
    """Return `stop`, `start`, or nothing for a message from a person."""
    word = text.strip().strip(".!\"'„”").casefold()
    if word in _STOP:
        return "stop"
    return "start" if word in _START else ""
