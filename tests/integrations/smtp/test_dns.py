"""What a domain's records say, read from records in the test."""

import pytest

from recoup.integrations.smtp.diagnose import DNS_WORDS
from recoup.integrations.smtp.dns import LookupFailed, State, check_domain

KEY = "v=DKIM1; k=rsa; p=" + "A" * 392
GOOD = {
    "example.com": ["google-site-verification=x", "v=spf1 include:_spf.example.net -all"],
    "s1._domainkey.example.com": [KEY],
    "_dmarc.example.com": ["v=DMARC1; p=reject; rua=mailto:d@example.com"],
}


def found(records: dict[str, list[str]], domain: str = "example.com") -> list[tuple[str, str]]:
    """Return what is said about the three records."""
    report = check_domain(domain, ["s1"], lookup=lambda name: records.get(name, []))
    return [(finding.state.value, finding.code) for finding in (report.spf, *report.dkim, report.dmarc)]


def test_a_domain_in_order_is_good() -> None:
    report = check_domain("Example.com.", ["s1"], lookup=lambda name: GOOD.get(name, []))

    assert report.is_good
    assert (report.domain, report.dmarc.host) == ("example.com", "_dmarc.example.com")
    assert found(GOOD) == [("good", "spf_good"), ("good", "dkim_good"), ("good", "dmarc_good")]


def test_a_domain_without_records_says_where_each_belongs() -> None:
    report = check_domain("żółw.pl", ["s1"], lookup=lambda _name: [])

    assert not report.is_good
    assert [finding.host for finding in (report.spf, *report.dkim, report.dmarc)] == [
        "xn--w-uga1v8h.pl",
        "s1._domainkey.xn--w-uga1v8h.pl",
        "_dmarc.xn--w-uga1v8h.pl",
    ]
    assert {finding.state for finding in (report.spf, *report.dkim, report.dmarc)} == {State.MISSING}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (["v=spf1 -all", "v=spf1 +all"], ("wrong", "spf_twice")),
        (["v=spf1 +all"], ("wrong", "spf_all")),
        (["v=spf1 all"], ("wrong", "spf_all")),
        (["v=spf1 " + "include:a.example " * 11 + "-all"], ("wrong", "spf_lookups")),
        (["v=spf1 include:a.example ?all"], ("weak", "spf_open")),
        (["v=spf1 a mx"], ("weak", "spf_open")),
        (["V=SPF1 a mx ~ALL"], ("good", "spf_good")),
        (["v=spf1 redirect=_spf.example.net"], ("good", "spf_good")),
        (["v=spf10 -all-nonsense"], ("weak", "spf_open")),
    ],
)
def test_spf_is_judged(records: list[str], expected: tuple[str, str]) -> None:
    assert found({**GOOD, "example.com": records})[0] == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=DKIM1; p=", ("wrong", "dkim_revoked")),
        ("v=DKIM1; k=rsa; p=" + "A" * 120, ("wrong", "dkim_short")),
        ("k=ed25519; p=" + "A" * 44, ("good", "dkim_good")),
        ("v=DKIM1; p=" + "A" * 216, ("good", "dkim_good")),
    ],
)
def test_dkim_is_judged(record: str, expected: tuple[str, str]) -> None:
    assert found({**GOOD, "s1._domainkey.example.com": [record]})[1] == expected


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (["v=DMARC1; p=none"], ("weak", "dmarc_none")),
        (["v=DMARC1; p=quarantine"], ("good", "dmarc_good")),
        (["v=DMARC1; p=nothing"], ("wrong", "dmarc_policy")),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], ("wrong", "dmarc_twice")),
    ],
)
def test_dmarc_is_judged(records: list[str], expected: tuple[str, str]) -> None:
    assert found({**GOOD, "_dmarc.example.com": records})[2] == expected


def test_a_subdomain_takes_the_policy_of_the_domain_above() -> None:
    report = check_domain("mail.example.com", lookup=lambda name: GOOD.get(name, []))

    assert (report.dmarc.state, report.dmarc.host) == (State.GOOD, "_dmarc.example.com")


def test_a_silent_name_server_is_no_missing_record() -> None:
    def silent(name: str) -> list[str]:
        raise LookupFailed(name)

    report = check_domain("example.com", ["s1"], lookup=silent)

    assert {finding.state for finding in (report.spf, *report.dkim, report.dmarc)} == {State.UNKNOWN}
    assert not report.is_good


def test_every_code_has_its_words() -> None:
    codes = {
        "no_answer", "spf_missing", "spf_twice", "spf_all", "spf_lookups", "spf_open", "spf_good", "dkim_missing",
        "dkim_revoked", "dkim_short", "dkim_good", "dmarc_missing", "dmarc_twice", "dmarc_policy", "dmarc_none",
        "dmarc_good",
    }  # fmt: skip

    assert set(DNS_WORDS) == codes
