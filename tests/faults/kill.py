"""The kill test: due messages go to a real mail server while senders are killed, the database dies and payments arrive.

`python -m tests.faults.kill --messages 20000 --kills 200` prints the seed and what was found; it ends with 1 if a message
was lost, doubled outside of the uncertain list, or handed over after its payment was known.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.judge import Findings, judge
from tests.faults.stage import Stage, is_alive


@dataclass(frozen=True, slots=True)
class Plan:
    """How large, and what is taken out of the senders for a negative control."""

    messages: int
    kills: int
    restarts: int
    payments: int
    seed: int
    senders: int = 4
    delay: float = 0.003  # of each answer of the mail server: a hand-over lasts long enough to be hit
    weaken: Sequence[str] = ()
    weaken_payers: Sequence[str] = ()


def run(plan: Plan, folder: Path) -> Findings:
    """Play it, and return what was found."""
    chance = random.Random(plan.seed)
    with Stage(f"kill_{plan.seed}", folder, delay=plan.delay, is_to_die=plan.restarts > 0) as stage:
        stage.make_world(messages=plan.messages)
        senders = [stage.start_sender(weaken=plan.weaken) for _ in range(plan.senders)]
        stage.start_payers(
            2,
            payments=plan.payments,
            reach=plan.messages,
            pause=plan.kills * 0.5 / max(plan.payments, 1),
            seed=plan.seed,
            weaken=plan.weaken_payers,
        )
        restarts = set(chance.sample(range(plan.kills), plan.restarts))
        for number in range(plan.kills):
            time.sleep(chance.uniform(0.1, 0.8))
            victim = chance.randrange(len(senders))
            stage.kill(senders[victim])
            if number in restarts:
                stage.restart_database()
            senders[victim] = stage.start_sender(weaken=plan.weaken)
        senders = [pid if is_alive(pid) else stage.start_sender(weaken=plan.weaken) for pid in senders]
        stage.wait_drained(seconds=60 + plan.messages / 20)
        stage.end_senders(senders)
        return judge(stage)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--restarts", type=int)
    parser.add_argument("--payments", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--weaken", action="append", default=[])
    arguments = parser.parse_args()
    plan = Plan(
        messages=arguments.messages,
        kills=arguments.kills,
        restarts=max(arguments.kills // 10, 1) if arguments.restarts is None else arguments.restarts,
        payments=arguments.messages // 5 if arguments.payments is None else arguments.payments,
        seed=arguments.seed,
        weaken=arguments.weaken,
    )
    sys.stdout.write(f"{plan}\n")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill-") as folder:
        findings = run(plan, Path(folder))
    sys.stdout.write(f"{findings.text()}\n{time.monotonic() - started:.0f} s\n")
    sys.exit(1 if findings.faults else 0)


if __name__ == "__main__":
    main()
