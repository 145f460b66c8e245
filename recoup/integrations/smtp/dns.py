"""Whether a sender's domain is set up so that mail from it is believed: SPF, DKIM and DMARC."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.resolver
import idna

Lookup = Callable[[str], list[str]]
"""Returns the TXT records of a name, joined each; an empty list if there are none. Raises `LookupFailed`."""

_SECONDS = 5.0
_COSTLY = ("include:", "a:", "mx:", "exists:", "redirect=")


class LookupFailed(Exception):
    """The name server did not answer: nothing is known."""


class State(StrEnum):
    """What was found."""

    GOOD = "good"
    WEAK = "weak"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One of the three, with the record that was read and what is the matter with it."""

    name: str
    """`spf`, `dkim` or `dmarc`."""

    state: State
    code: str
    """What to tell: see `diagnose.DNS_WORDS`."""

    host: str
    """Where the record belongs."""

    record: str = ""


@dataclass(frozen=True, slots=True)
class DomainReport:
    """What a domain's records say about mail from it."""

    domain: str
    spf: Finding
    dkim: tuple[Finding, ...]
    """One for each selector asked for; empty if none was named."""

    dmarc: Finding

    @property
    def is_good(self) -> bool:
        """Whether Gmail and Yahoo would take bulk mail: SPF and one DKIM key in order, DMARC there."""
        has_key = any(finding.state is State.GOOD for finding in self.dkim)
        return self.spf.state is State.GOOD and has_key and self.dmarc.state in {State.GOOD, State.WEAK}


def check_domain(domain: str, selectors: Sequence[str] = (), *, lookup: Lookup | None = None) -> DomainReport:
    """Read the three kinds of records; a name server that does not answer makes a finding, not an error."""
    ask = lookup or txt_records
    name = idna.encode(domain.strip().rstrip("."), uts46=True).decode("ascii").lower()
    return DomainReport(
        domain=name,
        spf=_spf(name, ask),
        dkim=tuple(_dkim(f"{selector}._domainkey.{name}", ask) for selector in selectors),
        dmarc=_dmarc(name, ask),
    )


def txt_records(name: str) -> list[str]:
    """Ask the system's name servers for the TXT records of a name.

    :raises LookupFailed: if none of them answers in time.
    """
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise LookupFailed(str(error)) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def _records(host: str, ask: Lookup, prefix: str) -> list[str] | None:
    """Return the records of one kind, or nothing if nobody answers."""
    try:
        return [text for text in ask(host) if text.lower().replace(" ", "").startswith(prefix)]
    except LookupFailed:
        return None


def _spf(domain: str, ask: Lookup) -> Finding:
    records = _records(domain, ask, "v=spf1")
    if records is None:
        return Finding("spf", State.UNKNOWN, "no_answer", domain)
    if not records:
        return Finding("spf", State.MISSING, "spf_missing", domain)
    state, code = _judge_spf(records)
    return Finding("spf", state, code, domain, " | ".join(records))


def _judge_spf(records: list[str]) -> tuple[State, str]:
    words = records[0].lower().split()
    if len(records) > 1:
        return State.WRONG, "spf_twice"
    if "+all" in words or "all" in words:
        return State.WRONG, "spf_all"
    if _spf_lookups(words) > 10:
        return State.WRONG, "spf_lookups"
    if not any(word in {"-all", "~all"} or word.startswith("redirect=") for word in words):
        return State.WEAK, "spf_open"
    return State.GOOD, "spf_good"


def _spf_lookups(words: list[str]) -> int:
    """Count the words of this record that cost a receiver a lookup; those inside an include are not counted."""
    plain = [word.lstrip("+-~?") for word in words[1:]]
    return sum(word in {"a", "mx", "ptr"} or word.startswith(_COSTLY) for word in plain)


def _dkim(host: str, ask: Lookup) -> Finding:
    try:
        records = [text for text in ask(host) if "p=" in text.replace(" ", "")]
    except LookupFailed:
        return Finding("dkim", State.UNKNOWN, "no_answer", host)
    if not records:
        return Finding("dkim", State.MISSING, "dkim_missing", host)
    tags = _tags(records[0])
    if not tags.get("p"):
        return Finding("dkim", State.WRONG, "dkim_revoked", host, records[0])
    is_rsa = tags.get("k", "rsa") == "rsa"
    if is_rsa and len(tags["p"]) < 200:
        # A key of 1024 bits has 216 signs in base64; what is shorter is refused by large receivers.
        return Finding("dkim", State.WRONG, "dkim_short", host, records[0])
    return Finding("dkim", State.GOOD, "dkim_good", host, records[0])


def _dmarc(domain: str, ask: Lookup) -> Finding:
    """Read the policy of the domain, or of the nearest domain above it that has one."""
    labels = domain.split(".")
    for cut in range(len(labels) - 1):
        host = f"_dmarc.{'.'.join(labels[cut:])}"
        records = _records(host, ask, "v=dmarc1")
        if records is None:
            return Finding("dmarc", State.UNKNOWN, "no_answer", host)
        if records:
            state, code = _judge_dmarc(records)
            return Finding("dmarc", state, code, host, " | ".join(records))
    return Finding("dmarc", State.MISSING, "dmarc_missing", f"_dmarc.{domain}")


def _judge_dmarc(records: list[str]) -> tuple[State, str]:
    if len(records) > 1:
        return State.WRONG, "dmarc_twice"
    known = {
        "none": (State.WEAK, "dmarc_none"),
        "quarantine": (State.GOOD, "dmarc_good"),
        "reject": (State.GOOD, "dmarc_good"),
    }
    return known.get(_tags(records[0]).get("p", ""), (State.WRONG, "dmarc_policy"))


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip().replace(" ", "") for name, _, value in pairs if name.strip()}
