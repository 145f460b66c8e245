"""django-post-office, queueing and sending the same mails to the same server; a program of its own with its own settings.

Reads a number of mails a line from standard input, and answers with the seconds that they took from the first queued to
the last recorded as sent. Texts are parsed once and filled in while queueing; queued with `send_many` and sent in batches
of 1,000, the quickest that it has.
"""

import logging
import os
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import django
from babel.dates import format_date
from babel.numbers import format_currency
from django.conf import settings

from bench.send_texts import twin_texts

BATCH = 500


def main() -> None:
    """Answer until standard input ends."""
    _configure(sys.argv[1], int(sys.argv[2]))
    from django.core.management import call_command  # local: django

    call_command("migrate", verbosity=0, interactive=False)
    logging.disable(logging.CRITICAL)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(f"{_round(int(line))}\n")
        sys.stdout.flush()


def _configure(url: str, port: int) -> None:
    os.environ["DATABASE_URL"] = url
    from recoup.config import environment  # local: django

    settings.configure(
        SECRET_KEY="bench",
        DATABASES={"default": environment.database()},
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_BACKEND="post_office.EmailBackend",
        POST_OFFICE={
            "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
            "THREADS_PER_PROCESS": 5,
            "LOG_LEVEL": 0,
            "BATCH_SIZE": int(os.environ.get("TWIN_BATCH", "1000")),
        },
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates"},
            {
                "BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates",
                "APP_DIRS": True,
                "DIRS": [],
                "OPTIONS": {},
            },
        ],
        USE_TZ=True,
    )
    django.setup()


def _round(count: int) -> float:
    from django.db import connection  # local: django
    from django.template import Context, Engine  # local: django
    from django.utils import timezone  # local: django
    from post_office import mail  # local: django
    from post_office.models import STATUS, Email  # local: django

    engine = Engine()
    subject, html, text = (engine.from_string(source) for source in twin_texts())
    Email.objects.all().delete()
    started = time.perf_counter()
    for first in range(0, count, BATCH):
        kwargs = []
        for number in range(first, min(first + BATCH, count)):
            context = Context(_values(number, timezone.now()))
            kwargs.append(
                {
                    "recipients": [f"u{number}@twin.example"],
                    "sender": "Pottery <hello@shop.example>",
                    "subject": subject.render(context),
                    "message": text.render(context),
                    "html_message": html.render(context),
                    "headers": {"Message-ID": f"<twin-{number}@shop.example>"},
                }
            )
        mail.send_many(kwargs)
    mail.send_queued_mail_until_done(
        lockfile=f"{tempfile.gettempdir()}/bench_post_office_{os.getpid()}",
        processes=int(os.environ.get("TWIN_PROCESSES", "1")),
        log_level=0,
    )
    seconds = time.perf_counter() - started
    connection.close()  # its processes have ended the session that they were forked with
    assert Email.objects.filter(status=STATUS.sent).count() == count
    return seconds


def _values(number: int, now: object) -> dict[str, object]:
    sum_ = format_currency(Decimal("149.00"), "EUR", locale="en")
    return {
        "number": f"A{number}",
        "first_name": "Anna",
        "date": format_date(now, "long", locale="en"),  # type: ignore[arg-type]
        "sum": sum_,
        "link": f"https://recoup.example/pay/{number:022d}",
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
