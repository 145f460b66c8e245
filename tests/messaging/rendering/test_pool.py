"""Children with limits: what a hostile template costs, and what a dead child costs the mails beside it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from recoup.messaging.rendering import process
from recoup.messaging.rendering.limits import CACHED_TEMPLATES
from recoup.messaging.rendering.pool import (
    Outcome,
    Rendered,
    RenderFailure,
    RenderItem,
    RenderPool,
    shared_pool,
)
from recoup.messaging.rendering.process import ChildDied, RenderChild
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.supervisor import machine
from tests.messaging.rendering.texts import codes, context

GOOD = CompiledTemplate(
    "{{ order.number }}", "<b>{{ order.number }}</b>", "{{ order.number }}", ("order.number",)
)

GROWING = "{{ 'aaaaaaaaaaaaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaa'" * 7 + " }}"
COUNTING = "{% for i in (1..9000) %}{% assign x = i | plus: 1 %}{% endfor %}" * 300

HEAVY = [
    "{% for i in (1..1000000000) %}{% endfor %}",
    "{% for i in (1..5000) %}{% for j in (1..5000) %}{{ j }}{% endfor %}{% endfor %}",
    COUNTING,
    "{{ (1..9000000) | reverse | size }}",
    "{% assign s = 9 %}{% for i in (1..60) %}{% assign s = s | times: s %}{% endfor %}{{ s }}",
]
FAILING = [
    GROWING,
    "{% assign s = 'ab' %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
    "{{ 1 | divided_by: 0 }}",
    "{% break %}",
]


def item(template: CompiledTemplate = GOOD) -> RenderItem:
    """Return one mail of this template."""
    return RenderItem(template, context(), "pl", "Europe/Warsaw")


def hostile(html: str) -> CompiledTemplate:
    """Return a template that no check has seen."""
    return CompiledTemplate("x", html, "x", ())


def summary(outcomes: list[Outcome]) -> list[str]:
    """Return what became of each mail."""
    return [outcome.code if isinstance(outcome, RenderFailure) else outcome.subject for outcome in outcomes]


@pytest.mark.parametrize("html", HEAVY)
def test_a_heavy_template_ends_in_time_and_its_neighbours_go_out(pool: RenderPool, html: str) -> None:
    began = time.monotonic()

    outcomes = pool.render([item(), item(hostile(html)), item()])

    assert summary(outcomes) == ["1042", "too_heavy", "1042"]
    assert time.monotonic() - began < 25


@pytest.mark.parametrize("html", FAILING)
def test_a_failing_template_fails_alone(pool: RenderPool, html: str) -> None:
    outcomes = pool.render([item(), item(hostile(html)), item()])

    assert summary(outcomes) == ["1042", "liquid_failed", "1042"]


def test_a_thousand_mails_of_a_heavy_template_do_not_hold_up_the_rest(pool: RenderPool) -> None:
    heavy = hostile(COUNTING)
    began = time.monotonic()

    outcomes = pool.render([item(heavy)] * 100 + [item()])

    assert summary(outcomes) == ["too_heavy"] * 100 + ["1042"]
    assert time.monotonic() - began < 60  # each tried would take a second of the processor, and all a hundred


def test_a_template_that_eats_memory_costs_three_children_at_most() -> None:
    pool = RenderPool()
    eater = hostile("{{ (1..9000000) | reverse | size }}")

    outcomes = pool.render([item(eater)] * 50 + [item()])
    peak = _peak_megabytes(pool.pids()[0])
    pool.close()

    assert summary(outcomes) == ["too_heavy"] * 50 + ["1042"]
    assert peak < 90


def test_a_killed_child_is_replaced_and_the_order_of_outcomes_kept() -> None:
    pool = RenderPool()
    pool.render([item()])
    killer = threading.Timer(0.02, lambda: os.kill(victim, signal.SIGKILL))
    victim = pool.pids()[0]
    killer.start()
    outcomes: list[Outcome] = []
    while pool.deaths == 0 and len(outcomes) < 100_000:
        outcomes += pool.render([item()] * 100)
    after = pool.render([item()])
    pool.close()

    assert pool.deaths <= 1
    assert summary(outcomes).count("1042") >= len(outcomes) - 1
    assert summary(after) == ["1042"]


def test_a_child_killed_while_idle_is_replaced_unseen() -> None:
    pool = RenderPool()
    pool.render([item()])
    [victim] = pool.pids()
    os.kill(victim, signal.SIGKILL)
    assert machine.wait_until(lambda: not machine.is_alive(victim), seconds=60)

    outcomes = pool.render([item()] * 3)
    pool.close()

    assert summary(outcomes) == ["1042"] * 3


def test_a_silent_child_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_STARVED_SECONDS", 0.5)
    child = RenderChild()
    os.kill(child.pid, signal.SIGSTOP)

    child.ask({"op": "compile"})
    with pytest.raises(ChildDied, match="no answer in time"):
        child.answer()
    child.kill()


def test_more_templates_than_a_child_keeps_are_all_written(pool: RenderPool) -> None:
    many = [
        CompiledTemplate(f"{n} {{{{ order.number }}}}", "x", "x", ("order.number",))
        for n in range(3 * CACHED_TEMPLATES)
    ]

    twice = [pool.render([item(template) for template in many]) for _ in range(2)]

    expected = [f"{n} 1042" for n in range(len(many))]
    assert [summary(outcomes) for outcomes in twice] == [expected, expected]


def test_threads_share_a_pool(pool: RenderPool) -> None:
    results: dict[int, list[Outcome]] = {}

    def work(number: int) -> None:
        results[number] = pool.render([item()] * 150)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [summary(results[number]) for number in range(4)] == [["1042"] * 150] * 4


def test_a_child_knows_no_secret_and_no_django(pool: RenderPool) -> None:
    pool.render([item()])
    environment = Path(f"/proc/{pool.pids()[0]}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0] for entry in environment if entry}
    code = "import recoup.messaging.rendering.child, sys; print(sorted({'django', 'psycopg', 'httpx'} & set(sys.modules)))"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert names == {b"PYTHONPATH", b"LANG", b"PATH", b"PYTHONDONTWRITEBYTECODE"}
    assert imported == "[]\n"


def test_a_child_ends_with_its_parent() -> None:
    code = (
        "import os, time\nfrom recoup.messaging.rendering.process import RenderChild\n"
        "child = RenderChild()\nprint(child.pid, flush=True)\nos._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    pid = int(done.stdout)
    assert machine.wait_until(lambda: not machine.is_alive(pid), seconds=60)


def test_a_child_stays_small() -> None:
    pool = RenderPool()
    pool.render([item()] * 1000)
    early = _peak_megabytes(pool.pids()[0])
    pool.render([item()] * 4000)
    late = _peak_megabytes(pool.pids()[0])
    pool.close()

    assert late < 60
    assert late <= early * 1.05


def test_a_closed_pool_renders_nothing() -> None:
    pool = RenderPool()
    pool.close()

    with pytest.raises(RuntimeError, match="closed"):
        pool.render([item()])


def test_rendered_mails_are_plain_bytes(pool: RenderPool) -> None:
    [outcome] = pool.render([item()])

    assert outcome == Rendered("1042", b"<b>1042</b>", b"1042\n")


def test_two_hundred_and_fifty_hostile_templates_are_answered(pool: RenderPool) -> None:
    """R37: each is refused, or rendered within its limits, and the child goes on."""
    bodies = _hostile_bodies()
    slowest = 0.0
    refused = 0
    for body in bodies:
        began = time.monotonic()
        refused += bool(codes(pool, f"<mj-text>{body}</mj-text>"))
        slowest = max(slowest, time.monotonic() - began)

    assert len(bodies) >= 250
    assert refused >= len(bodies) - 4
    assert slowest < 8
    assert summary(pool.render([item()])) == ["1042"]


def _hostile_bodies() -> list[str]:
    """Return templates that reach for Python, for files, for memory, for time and for the parser's stack."""
    dunders = [
        "__class__",
        "__mro__",
        "__globals__",
        "__init__",
        "__subclasses__",
        "__dict__",
        "__builtins__",
        "__code__",
    ]
    roots = [
        "customer",
        "order",
        "order.items",
        "shop",
        "links",
        "''",
        "forloop",
        "self",
        "request",
        "settings",
    ]
    reaching = [f"{{{{ {root}.{dunder} }}}}" for root in roots for dunder in dunders]
    indexed = [f'{{{{ {root}["{dunder}"] }}}}' for root in roots for dunder in dunders]
    names = [
        "secret",
        "now",
        "today",
        "env",
        "config",
        "template",
        "context",
        "globals",
        "locals",
        "os",
        "import",
        "self",
    ]
    files = ["/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1/", "x"]
    tags = [
        "include",
        "render",
        "extends",
        "layout",
        "liquid",
        "echo",
        "increment",
        "tablerow",
        "macro",
        "call",
    ]
    return [
        *reaching,
        *indexed,
        *(f"{{{{ {name} }}}}" for name in names),
        *(f"{{% {tag} '{file}' %}}" for tag in tags for file in files),
        *("{% if order.total %}" * depth for depth in (1, 21, 500, 5000)),
        *("{% if order.total %}" * depth + "{% endif %}" * depth for depth in (21, 500, 5000)),
        *("<div>" * depth for depth in (61, 1000, 20000)),
        "{{ 'x' | slice: -99999999999999999999, 99999999999999999999 }}",
        "{{ 'x' | truncate: 99999999999999999999999 | split: '' | join: 'x' }}",
        "{% assign a = order.items %}{% for x in a %}{% for y in a %}{{ x }}{{ y }}{% endfor %}{% endfor %}",
        "{% capture x %}{% capture x %}{{ x }}{% endcapture %}{% endcapture %}",
        "{{" * 1000,
        "{%" * 1000,
        "{{ order.number " + "| upcase " * 5000 + "| nothing }}",
        "{{ order.number " + "| append: order.number " * 3000 + "}}",
        "{{ order" + ".x" * 5000 + " }}",
        "{{ order" + "[order" * 900 + "]" * 900 + " }}",
        "{% case order.number %}" + "{% when 'a' %}" * 3000,
        *HEAVY,
        *FAILING,
    ]


def _peak_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no peak")


def test_whoever_needs_the_shared_pool_after_it_was_closed_gets_another() -> None:
    first = shared_pool()
    assert shared_pool() is first
    first.close()
    second = shared_pool()
    assert (second is first, second.is_closed) == (False, False)
    second.close()
