"""What a run did, by comparing what the mail server took, what the database says, and when payments were known."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.stage import Stage


@dataclass(frozen=True, slots=True)
class Findings:
    """The outcome of a run. The first six must be zero."""

    lost: int  # neither ended nor uncertain
    vanished: int  # called sent, never taken by the server
    after_payment: int  # DATA begun after the payment was known
    during_hand_over: int  # payment committed between DATA and the answer
    duplicates: int  # taken twice, and not uncertain
    told_twice: int  # more than one end told that does not correct another
    sent: int
    cancelled: int
    uncertain: int
    failed: int
    payments: int
    uncertain_taken: int  # uncertain, and in truth taken

    @property
    def faults(self) -> dict[str, int]:
        """Return what must not be, and was."""
        names = ("lost", "vanished", "after_payment", "during_hand_over", "duplicates", "told_twice")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def text(self) -> str:
        """Return everything in one line."""
        return json.dumps(asdict(self))


def judge(stage: Stage) -> Findings:
    """Compare the ledgers."""
    taken: dict[str, list[dict[str, float]]] = {}
    for mail in _lines(stage.sink_log):
        taken.setdefault(str(mail["message_id"]).strip("<>"), []).append(mail)
    known = {int(line["order"]): line for line in _lines(stage.pay_log)}
    messages = stage.rows("SELECT id, order_id, message_ref, state FROM messaging_message")
    states = Counter(row[3] for row in messages)
    told = _told(stage)
    mails = [
        (mail, known[order_id])
        for _, order_id, ref, _ in messages
        if order_id in known
        for mail in taken.get(ref, [])
    ]
    return Findings(
        lost=states["due"] + states["claimed"] + states["handing"],
        vanished=sum(1 for *_, ref, state in messages if state == "sent" and ref not in taken),
        after_payment=sum(1 for mail, paid in mails if mail["data_at"] > paid["known"]),
        during_hand_over=sum(
            1 for mail, paid in mails if mail["data_at"] < paid["began"] and paid["known"] < mail["dot_at"]
        ),
        duplicates=sum(
            1 for *_, ref, state in messages if state != "uncertain" and len(taken.get(ref, ())) > 1
        ),
        told_twice=sum(1 for ends in told.values() if len([end for end in ends if end != "uncertain"]) > 1),
        sent=states["sent"],
        cancelled=states["cancelled"],
        uncertain=states["uncertain"],
        failed=states["failed"],
        payments=len(known),
        uncertain_taken=sum(1 for *_, ref, state in messages if state == "uncertain" and ref in taken),
    )


def _told(stage: Stage) -> dict[int, list[str]]:
    ends: dict[int, list[str]] = {}
    query = (
        "SELECT (payload->>'message_id')::bigint, payload->>'state' FROM core_outbox"
        " WHERE kind = 'messaging.MessageSettled' ORDER BY id"
    )
    for message_id, state in stage.rows(query):
        ends.setdefault(message_id, []).append(state)
    return ends


def _lines(path: Path) -> list[dict[str, float]]:
    if not path.exists():
        return []
    whole, _, _being_written = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]
