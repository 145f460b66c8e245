"""The test server keeps its own promises: what it took stands in its log before it answers."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from recoup.integrations.smtp.connection import Security, SmtpConnection, SmtpSettings
from recoup.integrations.smtp.line import boot_time
from tests.integrations.smtp.lines import connected, mail, send_batch, send_single, word
from tests.support.smtp_sink import SmtpSink


def rows(log: Path) -> list[dict[str, object]]:
    """Return the log's lines."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_a_mail_is_in_the_log_though_its_answer_never_came(tmp_path: Path) -> None:
    log, bodies = tmp_path / "log", tmp_path / "bodies"
    with SmtpSink(log=log, bodies=bodies) as sink, connected(sink) as connection:
        began = boot_time()
        one = mail("u+cutafterdot@x.pl")
        outcome = send_single(connection.exchange(), one)

        [row] = rows(log)
        assert word(outcome) == "uncertain"
        assert (row["from"], row["to"], row["size"]) == (
            "shop@example.com",
            "u+cutafterdot@x.pl",
            len(one.content),
        )
        assert bodies.read_bytes() == one.content
        stamps = [row[name] for name in ("mail_at", "rcpt_at", "data_at", "dot_at")]
        assert stamps == sorted(stamps)  # type: ignore[type-var]
        assert began - 0.01 < stamps[0] <= stamps[-1] < boot_time() + 0.01  # type: ignore[operator]


def test_as_a_program_it_logs_every_mail_and_ends_on_sigterm(tmp_path: Path) -> None:
    log, bodies = tmp_path / "log", tmp_path / "bodies"
    command = [sys.executable, "-m", "tests.support.smtp_sink", "--log", str(log), "--bodies", str(bodies)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as program:
        assert program.stdout is not None
        port = json.loads(program.stdout.readline())["port"]
        connection = SmtpConnection(SmtpSettings("127.0.0.1", port, Security.NONE))
        connection.ready()
        mails = [mail(f"{number}@x.pl", body=".\nx" * number) for number in range(200)]
        mails.insert(100, mail("u+550@x.pl"))
        outcomes = send_batch(connection.exchange(), mails)
        connection.close()
        program.send_signal(signal.SIGTERM)
        ending = json.loads(program.stdout.readline())

    taken = [one for one in mails if word(outcomes[one.key]) == "accepted"]
    assert len(taken) == 200
    assert ending == {"accepted": 200, "connections": 1}
    written = bodies.read_bytes()
    logged = [(row["to"], written[int(str(row["offset"])) :][: int(str(row["size"]))]) for row in rows(log)]
    assert logged == [(one.recipient, one.content.replace(b".\nx", b".\r\nx")) for one in taken]
