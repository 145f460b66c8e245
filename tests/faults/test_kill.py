"""R10 to R12, F1, F2, F7: nothing is lost, nothing is doubled in secret, nothing goes out after its payment was known."""

import os
import random
import signal
from pathlib import Path

import pytest

from tests.faults.judge import judge
from tests.faults.kill import Plan, run
from tests.faults.stage import Stage

pytestmark = [pytest.mark.faults, pytest.mark.slow]

# Where a killed sender leaves nothing behind that anybody could wonder about.
CERTAIN = (
    "before_claim_commit",
    "after_claim",
    "after_links",
    "after_render",
    "before_mark_commit",
    "after_end",
)
# Where it was about to hand over, or had just done so.
UNCERTAIN = ("after_mark", "after_locks", "after_check", "after_data", "after_answers", "before_end_commit")


@pytest.fixture
def seed() -> int:
    """Return a new seed, printed when the test fails; `RECOUP_SEED` repeats one."""
    chosen = int(os.environ.get("RECOUP_SEED", random.randrange(1_000_000)))
    print("seed", chosen)  # noqa: T201 - to repeat a failure
    return chosen


def test_killed_senders_and_a_dying_database_lose_and_double_nothing(
    tmp_path: Path, seed: int, is_full_size: bool
) -> None:
    sizes = (20_000, 200, 20, 4_000) if is_full_size else (400, 6, 2, 80)
    messages, kills, restarts, payments = sizes

    findings = run(Plan(messages, kills, restarts, payments, seed), tmp_path)

    print(findings.text())  # noqa: T201 - the figures of R10 to R12
    assert findings.faults == {}
    assert findings.sent + findings.cancelled + findings.uncertain == messages
    assert findings.cancelled > 0
    assert findings.uncertain <= kills * 4 * 100


def kill_at_each(stage: Stage, points: tuple[str, ...], weaken: tuple[str, ...] = ()) -> None:
    """Let a sender die at each of these points, then let another finish.

    Their leases are as long as in life, and the time of the dead passes at once: on a busy machine two seconds may go by
    between a claim and its hand-over, and who comes to its look too late hands nothing over.
    """
    for point in points:
        pid = stage.start_sender(failpoint=point, weaken=weaken, claim=5, lease=60.0)
        stage.wait(pid, seconds=60)
    stage.outlive_leases()
    last = stage.start_sender(lease=60.0)
    stage.wait_drained(seconds=60)
    stage.kill(last)


def test_a_sender_killed_at_each_border_leaves_a_clear_end(tmp_path: Path, is_full_size: bool) -> None:
    messages = 200 if is_full_size else 60
    with Stage(f"borders_{os.getpid()}", tmp_path) as stage:
        stage.make_world(messages=messages, roads=1)

        kill_at_each(stage, CERTAIN)
        certain = judge(stage)

        assert (certain.faults, certain.sent, certain.uncertain) == ({}, messages, 0)


def test_a_sender_killed_while_handing_over_leaves_a_list_and_no_copy(
    tmp_path: Path, is_full_size: bool
) -> None:
    messages = 200 if is_full_size else 60
    with Stage(f"handing_{os.getpid()}", tmp_path) as stage:
        stage.make_world(messages=messages, roads=1)

        kill_at_each(stage, UNCERTAIN)
        findings = judge(stage)

        assert findings.faults == {}
        assert findings.uncertain >= len(UNCERTAIN)
        assert findings.sent + findings.uncertain == messages
        assert 0 < findings.uncertain_taken < findings.uncertain


def test_without_the_mark_a_killed_sender_doubles_in_secret(tmp_path: Path) -> None:
    with Stage(f"unmarked_{os.getpid()}", tmp_path) as stage:
        stage.make_world(messages=50, roads=1)

        kill_at_each(stage, ("after_answers",), weaken=("mark",))
        findings = judge(stage)

        assert findings.duplicates > 0


def test_an_answer_outlives_the_absence_of_the_database(tmp_path: Path) -> None:
    found = {}
    for weaken in ((), ("keep_and_record",)):
        with Stage(f"away_{os.getpid()}_{len(weaken)}", tmp_path / str(len(weaken)), is_to_die=True) as stage:
            stage.make_world(messages=6, roads=1)
            sender = stage.start_sender(failpoint="after_answers:stop", weaken=weaken, claim=6, lease=3.0)
            stage.wait_stopped(sender, seconds=60)

            stage.restart_database()
            os.kill(sender, signal.SIGCONT)
            stage.wait_drained(seconds=60)  # what is forgotten is found when its lease runs out
            stage.terminate(sender, seconds=60)

            found[weaken] = judge(stage)

    kept, forgotten = found[()], found["keep_and_record",]
    assert (kept.duplicates, kept.vanished, kept.uncertain) == (0, 0, 0)
    assert forgotten.uncertain > 0


def test_a_graceful_stop_leaves_nothing_uncertain(tmp_path: Path) -> None:
    with Stage(f"stop_{os.getpid()}", tmp_path, delay=0.02) as stage:
        stage.make_world(messages=60, roads=2)
        sender = stage.start_sender(lease=30.0)
        stage.wait_for_mails(5, seconds=60)

        stage.terminate(sender, seconds=60)
        findings = judge(stage)

        states = dict(stage.rows("SELECT state, count(*) FROM messaging_message GROUP BY state"))
        assert (findings.duplicates, findings.vanished, findings.uncertain) == (0, 0, 0)
        assert set(states) <= {"sent", "due"}
        assert states["sent"] >= 5
