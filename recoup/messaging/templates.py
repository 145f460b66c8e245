"""Templates as people work on them: drafts with a lock number, checks, publishing, previews, test sends."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from recoup.core import activity
from recoup.core.activity import SYSTEM, Actor
from recoup.messaging import shipped
from recoup.messaging.classes import class_of_text
from recoup.messaging.models import ChannelKind, Template, TemplateVersion
from recoup.messaging.rendering.pool import RenderPool
from recoup.messaging.rendering.saving import Problem, TemplateRefused, check_template, compile_template
from recoup.messaging.rendering.templates import CompiledTemplate, TemplateSource
from recoup.messaging.rendering.tokens import OFFER_TOKENS
from recoup.messaging.rules.deciding import content_of
from recoup.shops.models import Shop

_HEAD_END, _ROOT = "<mj-head>", "<mjml"


class TemplateChangedMeanwhile(Exception):
    """Somebody else saved the template since it was opened (T91); nothing was overwritten. Holds what is there now."""

    def __init__(self, template: Template) -> None:
        super().__init__(template.pk)
        self.template = template


class TemplateNotPublishable(Exception):
    """Problems forbid publishing: those of each language, or the shop's own language has no text."""

    def __init__(self, problems: Mapping[str, list[Problem]], *, missing: str = "") -> None:
        super().__init__(missing or ", ".join(sorted(problems)))
        self.problems, self.missing = problems, missing


@dataclass(frozen=True, slots=True)
class DraftText:
    """A text in one language as its author writes it; of a short message the body alone."""

    subject: str
    body: str  # MJML with Liquid; plain text with Liquid for short messages
    preheader: str = ""
    text: str = ""  # the plain-text part; made from the body when empty


@dataclass(frozen=True, slots=True)
class Published:
    """A new version, and the languages that fall back to another."""

    version: TemplateVersion
    missing_locales: tuple[str, ...]


def add_template(shop: Shop, *, key: str, name: str, kind: str, channel: str = ChannelKind.EMAIL) -> Template:
    """Make an empty template."""
    template = Template(shop=shop, key=key[:60], name=name[:120], kind=kind, channel=channel)
    template.save(force_insert=True)
    return template


def draft_texts(template: Template) -> dict[str, DraftText]:
    """Return the draft by language."""
    return {locale: DraftText(**text) for locale, text in template.draft.items()}


def save_draft(
    template: Template,
    texts: Mapping[str, DraftText],
    *,
    expected_lock: int,
    now: datetime,
    actor: Actor = SYSTEM,
) -> Template:
    """Save a draft as it is, finished or not; nothing sent changes until it is published.

    :raises TemplateChangedMeanwhile: if somebody else saved it since `expected_lock`.
    """
    draft = {locale: asdict(text) for locale, text in sorted(texts.items())}
    with transaction.atomic():
        changed = Template.objects.filter(
            pk=template.pk, shop_id=template.shop_id, draft_lock=expected_lock
        ).update(draft=draft, draft_lock=expected_lock + 1)
        template.refresh_from_db()
        if not changed:
            raise TemplateChangedMeanwhile(template)
        _note("messaging.template.saved", template, actor, now)
    return template


def _note(verb: str, template: Template, actor: Actor, now: datetime, **details: Any) -> None:
    activity.record(
        verb,
        shop_id=template.shop_id,
        subject=("template", template.pk),
        at=now,
        actor=actor,
        key=template.key,
        **details,
    )


def template_source(template: Template, locale: str, text: DraftText) -> TemplateSource:
    """Return what is checked and compiled: the body with its preheader in its head, on the same lines."""
    if template.channel == ChannelKind.SMS:
        return TemplateSource(
            subject="",
            html="",
            text=text.body,
            context=template.kind,
            locale=locale,
            channel=template.channel,
        )
    return TemplateSource(
        subject=text.subject,
        html=_with_preheader(text.body, text.preheader),
        text=text.text,
        context=template.kind,
        locale=locale,
    )


def _with_preheader(body: str, preheader: str) -> str:
    preheader = " ".join(preheader.split())
    if not preheader or "<mj-preview" in body:
        return body
    preview = f"<mj-preview>{preheader}</mj-preview>"
    if _HEAD_END in body:
        return body.replace(_HEAD_END, _HEAD_END + preview, 1)
    start = body.find(_ROOT)
    end = body.find(">", start)
    if start < 0 or end < 0:
        return body
    return f"{body[: end + 1]}<mj-head>{preview}</mj-head>{body[end + 1 :]}"


def draft_class(template: Template) -> str:
    """Return the class of the draft as the strictest country has it, by what it says in all its languages."""
    return class_of_text(content_of(template.kind, template.draft))


def check_draft(template: Template, *, pool: RenderPool | None = None) -> dict[str, list[Problem]]:
    """Return the problems of each language's draft; a language without any is missing."""
    message_class = draft_class(template)
    found = {
        locale: check_template(
            template_source(template, locale, text), message_class=message_class, pool=pool
        )
        for locale, text in draft_texts(template).items()
    }
    return {locale: problems for locale, problems in found.items() if problems}


def compile_draft(template: Template, locale: str, *, pool: RenderPool | None = None) -> CompiledTemplate:
    """Return the draft of a language ready to render.

    :raises TemplateRefused: if a problem forbids it. :raises KeyError: if there is no draft in this language.
    """
    source = template_source(template, locale, draft_texts(template)[locale])
    return compile_template(source, message_class=draft_class(template), pool=pool)


def publish(
    template: Template,
    *,
    expected_lock: int,
    now: datetime,
    actor: Actor = SYSTEM,
    pool: RenderPool | None = None,
) -> Published:
    """Publish the draft as a new version, checked and compiled in every language it has.

    Messages that were written before keep their text. Languages without a text of their own fall back to the shop's
    language, then English.

    :raises TemplateNotPublishable: if a language has blocking problems, or the shop's language has no text.
    :raises TemplateChangedMeanwhile: if somebody else saved it since `expected_lock`.
    """
    template.refresh_from_db()
    if template.draft_lock != expected_lock:
        raise TemplateChangedMeanwhile(template)
    texts = draft_texts(template)
    if template.shop.locale not in texts:
        raise TemplateNotPublishable({}, missing=template.shop.locale)
    compiled = _compile_all(template, texts, pool)
    with transaction.atomic():
        locked = Template.objects.select_for_update(no_key=True).get(pk=template.pk)
        if locked.draft_lock != expected_lock:
            raise TemplateChangedMeanwhile(locked)
        version = TemplateVersion(
            shop_id=template.shop_id,
            template=locked,
            number=_next_number(locked),
            texts={
                locale: {**asdict(text), "compiled": compiled[locale].to_json()}
                for locale, text in texts.items()
            },
            has_offer=any(OFFER_TOKENS.intersection(one.tokens) for one in compiled.values()),
            published_at=now,
            published_by=actor.id if actor.kind == "person" else None,
        )
        version.save(force_insert=True)
        Template.objects.filter(pk=template.pk).update(current_version=version)
        _note("messaging.template.published", template, actor, now, number=version.number)
    template.refresh_from_db()
    missing = tuple(code for code, _ in settings.LANGUAGES if code not in texts)
    return Published(version, missing)


def _next_number(template: Template) -> int:
    versions = TemplateVersion.objects.filter(shop=template.shop_id, template=template)
    return int(versions.aggregate(last=Max("number"))["last"] or 0) + 1


def _compile_all(
    template: Template, texts: Mapping[str, DraftText], pool: RenderPool | None
) -> dict[str, CompiledTemplate]:
    compiled, problems = {}, {}
    for locale in texts:
        try:
            compiled[locale] = compile_draft(template, locale, pool=pool)
        except TemplateRefused as refused:
            problems[locale] = refused.problems
    if problems:
        raise TemplateNotPublishable(problems)
    return compiled


def install_shipped(
    shop: Shop, *, now: datetime, keys: Iterable[str] = shipped.KEYS, pool: RenderPool | None = None
) -> list[Template]:
    """Give a shop texts that come with the product, published in all languages. What it has already is left alone.

    Those in which the shop has to put in something of its own first stay drafts.
    """
    known = set(Template.objects.filter(shop=shop).values_list("key", flat=True))
    made = []
    for key in keys:
        if key in known:
            continue
        template = add_template(
            shop,
            key=key,
            name=shipped.shipped_name(key, shop.locale),
            kind=shipped.kind_of(key),
            channel=shipped.channel_of(key),
        )
        template.is_shipped = True
        template.draft = {
            locale: asdict(DraftText(subject=text.subject, body=text.body, preheader=text.preheader))
            for locale, text in shipped.shipped_texts(key, colour=shop.colour).items()
        }
        template.save()
        if key not in shipped.UNFINISHED_KEYS:
            publish(template, expected_lock=template.draft_lock, now=now, pool=pool)
        made.append(template)
    return made
