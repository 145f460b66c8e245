"""Passwords that are refused, and the sentence that says why."""

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError

from recoup.accounts.models import User

ANNA = User(email="anna.wisniewska@lumen.example", name="Wilhelmina Zagórska")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("violet 7", "The password is too short: it needs at least 10 characters."),
        ("wisniewska1", "The password is too much like your name or e-mail address."),
        ("wilhelmina", "The password is too much like your name or e-mail address."),
        ("qwertyuiop", "Many people use this password, so it is guessed first."),
    ],
)
def test_a_refused_password_is_told_why(password: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_password(password, ANNA)

    (message,) = refused.value.messages
    assert message.startswith(words)


def test_a_short_sentence_will_do() -> None:
    validate_password("a quiet green lamp", ANNA)


def test_the_rules_are_said_before_anything_is_typed() -> None:
    assert password_validators_help_texts() == [
        "Nothing that is like your name or e-mail address.",
        "At least 10 characters.",
        "Nothing that many people use.",
    ]
