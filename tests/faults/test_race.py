"""R11, R14, F3: payers who aim at the head of the queue, and senders that sleep through their lease."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.faults.judge import Findings, judge
from tests.faults.stage import Stage

pytestmark = [pytest.mark.faults, pytest.mark.slow]

FREEZING = ("after_claim", "after_links", "after_render", "after_mark", "after_locks", "after_check")


def race(
    folder: Path,
    *,
    messages: int,
    hooks: int = 1,
    weaken: tuple[str, ...] = (),
    weaken_payers: tuple[str, ...] = (),
    until_lost: bool = False,
) -> Findings:
    """Let payers pay what is just about to be sent, as fast as they can; some by calls of the shop.

    With `until_lost` no longer than until a mail went to somebody who had paid.
    """
    with Stage(f"race_{os.getpid()}", folder, delay=0.002) as stage:
        stage.make_world(messages=messages, roads=2)
        payers = stage.start_payers(
            3, payments=messages, reach=10, pause=0.0, seed=7, hooks=hooks, weaken=weaken_payers
        )
        for _ in range(2):
            stage.start_sender(weaken=("linger", "impatience", *weaken), lease=30.0)
        while until_lost and stage.are_on_their_way():
            if late_mails(findings := judge(stage)):
                return findings
            time.sleep(0.2)
        stage.wait_drained(seconds=60 + messages / 20)
        for payer in payers:
            stage.wait(payer, seconds=120)
        return judge(stage)


def late_mails(findings: Findings) -> int:
    """Return how many mails went to people who had paid."""
    return findings.after_payment + findings.during_hand_over


def test_payers_at_the_head_of_the_queue_get_no_mail_after_paying(tmp_path: Path, is_full_size: bool) -> None:
    messages = 6_000 if is_full_size else 150

    findings = race(tmp_path, messages=messages)

    print(findings.text())  # noqa: T201 - the figures of R11
    assert findings.faults == {}
    assert findings.sent + findings.cancelled == messages
    assert min(findings.sent, findings.cancelled) > messages / 50


@pytest.mark.parametrize(
    ("weaken", "weaken_payers", "hooks", "messages"),
    [(("order_lock",), (), 0, 300), ((), ("order_update",), 0, 300), (("fence",), (), 3, 150)],
    ids=["the look locks nothing", "the payment touches nothing that is locked", "a call waits for nothing"],
)
def test_without_the_lock_on_either_side_mails_go_to_people_who_have_paid(
    tmp_path: Path, weaken: tuple[str, ...], weaken_payers: tuple[str, ...], hooks: int, messages: int
) -> None:
    lost = 0
    for attempt in range(4):  # on a machine that is busy with others, chance may win one race
        findings = race(
            tmp_path / str(attempt),
            messages=messages,
            hooks=hooks,
            weaken=weaken,
            weaken_payers=weaken_payers,
            until_lost=True,
        )
        lost = late_mails(findings)
        if lost:
            break

    assert lost > 0


def freeze(
    folder: Path, points: tuple[str, ...], *, weaken: tuple[str, ...] = (), mails: int = 0
) -> Findings:
    """Freeze a sender at each point for longer than its lease; meanwhile others send and the buyers pay.

    The woken have a moment, or until the mail server has taken so many `mails`, and then finish what they are at.
    """
    with Stage(f"freeze_{os.getpid()}", folder) as stage:
        stage.make_world(messages=5 * len(points), roads=1)
        frozen = []
        for point in points:
            pid = stage.start_sender(
                failpoint=f"{point}:stop", weaken=("patience", *weaken), claim=3, lease=60.0
            )
            stage.wait_stopped(pid, seconds=60)
            frozen.append(pid)
        # Everything is paid, so what the frozen hold is too.
        payers = stage.start_payers(1, payments=5 * len(points), reach=5 * len(points), pause=0.0, seed=3)
        for payer in payers:
            stage.wait(payer, seconds=60)
        stage.outlive_leases()
        last = stage.start_sender(lease=60.0)
        stage.wait_drained(seconds=60)
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        time.sleep(1.5)
        stage.wait_for_mails(mails, seconds=60)
        stage.wait_drained(seconds=60)
        stage.end_senders([*frozen, last])
        return judge(stage)


def test_a_sender_that_slept_through_its_lease_sends_nothing(tmp_path: Path) -> None:
    findings = freeze(tmp_path, FREEZING)

    assert findings.faults == {}
    unpaid = 5 * len(FREEZING) - findings.payments  # payments that a frozen session kept waiting for too long
    assert findings.payments >= 3 * len(FREEZING)
    assert (findings.sent, findings.cancelled) == (unpaid, findings.payments)


def test_without_the_look_at_the_boot_clock_a_woken_sender_writes_to_people_who_have_paid(
    tmp_path: Path,
) -> None:
    findings = freeze(tmp_path, ("after_check",), weaken=("freshness",), mails=1)

    assert findings.after_payment > 0
