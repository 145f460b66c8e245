"""The copy of a mail that people read later opens nothing."""

from recoup.messaging.mime.kept import blank_tokens


def test_named_secrets_and_all_that_look_like_tokens_are_blanked() -> None:
    text = "Pay: https://shop.example/p/AbC_def-1234567890xyz and https://shop.example/u/short, code S3CR3T"

    kept = blank_tokens(text, ["S3CR3T", "https://shop.example/u/short"])

    assert kept == "Pay: https://shop.example/p/••• and •••, code •••"


def test_ordinary_addresses_stay() -> None:
    text = 'See <a href="https://shop.example/products/blue-mug">mug</a> at https://shop.example/a?b=c'

    assert blank_tokens(text, []) == text


def test_a_secret_inside_another_leaves_no_rest() -> None:
    assert blank_tokens("abc abcdef", ["abc", "abcdef"]) == "••• •••"
