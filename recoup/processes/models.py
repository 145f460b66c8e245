"""Processes, their immutable versions, the enrolments that wait in them, and the decision ledger."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.messaging.models import MessageSource
from recoup.processes import call_models, passage_models  # noqa: F401 - tables of this part, registered with it
from recoup.processes.bulk import models as _bulk  # noqa: F401 - Django looks for tables here alone
from recoup.shops.models import ShopOwned


class Process(ShopOwned):
    """A process as a person knows it."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        TEST = "test", _("Test mode")
        LIVE = "live", _("Running")
        PAUSED = "paused", _("Paused")
        DRAINING = "draining", _("Finishing")  # nobody enters, those inside go on to their end
        STOPPED = "stopped", _("Stopped")

    name = models.CharField(max_length=120)
    key = models.CharField(max_length=60, default="", blank=True)  # of a shipped process
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    current_version = models.ForeignKey(
        "ProcessVersion", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    priority = models.SmallIntegerField(default=0)
    exclusive_group = models.CharField(max_length=40, default="", blank=True)
    holdout_bp = models.IntegerField(default=0)  # basis points
    salt = models.BigIntegerField()  # survives versions: stable arms
    message_source = models.ForeignKey(MessageSource, on_delete=models.PROTECT, related_name="+")
    live_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "name"], name="processes_process_name_once"),
            models.UniqueConstraint(
                fields=["shop", "key"], condition=~Q(key=""), name="processes_process_key_once"
            ),
            models.CheckConstraint(
                condition=Q(holdout_bp__gte=0) & Q(holdout_bp__lte=9999), name="processes_holdout_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProcessVersion(ShopOwned):
    """A published graph. A trigger refuses to change or delete it (R20)."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    doc: models.JSONField[Any, Any] = models.JSONField()
    doc_hash = models.BinaryField(max_length=32)
    node_map: models.JSONField[Any, Any] = models.JSONField()  # "n7" -> 7
    event_mask = models.BigIntegerField()
    engine_schema = models.SmallIntegerField()
    published_at = models.DateTimeField()
    published_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process", "number"], name="processes_version_once")]


class ProcessDraft(ShopOwned):
    """What people are changing before they publish it: one for a process, against lost edits by `lock_version`."""

    process = models.OneToOneField(Process, on_delete=models.CASCADE, related_name="+")
    doc: models.JSONField[Any, Any] = models.JSONField()
    lock_version = models.IntegerField(default=1)
    revision = models.ForeignKey(
        "DraftRevision", on_delete=models.SET_NULL, null=True, related_name="+"
    )  # the one that `doc` equals
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)


class DraftRevision(ShopOwned):
    """A state that a draft has been in, so that steps can be taken back and again."""

    draft = models.ForeignKey(ProcessDraft, on_delete=models.CASCADE, related_name="+")
    doc: models.JSONField[Any, Any] = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)


class Enrolment(ShopOwned):
    """One order, cart or person on its way through one version. Waiting is this row and nothing else."""

    class State(models.IntegerChoices):
        WAITING = 1
        READY = 2
        PAUSED = 3
        COMPLETED = 8
        EXITED = 9
        FAILED = 10
        CANCELLED = 11

    class SubjectKind(models.IntegerChoices):
        ORDER = 1
        CART = 2
        CONTACT = 3

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="+", db_index=False)
    version = models.ForeignKey(ProcessVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    contact_id = models.BigIntegerField()
    case_id = models.BigIntegerField(null=True)
    subject_kind = models.SmallIntegerField(choices=SubjectKind)
    subject_id = models.BigIntegerField()
    entry_key = models.BigIntegerField()
    active_key = models.BigIntegerField(null=True)  # null once ended
    group_key = models.BigIntegerField(null=True)
    state = models.SmallIntegerField(choices=State)
    node = models.SmallIntegerField()
    step_no = models.IntegerField(default=0)
    entered_at = models.DateTimeField()  # logical, trade
    node_at = models.DateTimeField()  # logical
    anchor_shift = models.DurationField(
        null=True
    )  # how far the sequence was moved because the case opened late
    due_at = models.DateTimeField(null=True)
    run_at = models.DateTimeField(null=True)  # trade
    wait_mask = models.BigIntegerField(default=0)
    prio = models.SmallIntegerField(default=1)  # 0 woken, 1 timer, 2 bulk
    last_message_step = models.IntegerField(null=True)
    attempt = models.SmallIntegerField(default=0)
    flags = models.SmallIntegerField(default=0)  # engine.codes.Flag
    variables: models.JSONField[Any, Any] = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=(1, 2), run_at__isnull=False)
                | (~Q(state__in=(1, 2)) & Q(run_at__isnull=True)),
                name="processes_enrolment_never_stranded",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(1, 2, 3), active_key__isnull=False)
                | (~Q(state__in=(1, 2, 3)) & Q(active_key__isnull=True)),
                name="processes_enrolment_active_key",
            ),
            models.UniqueConstraint(fields=["process", "entry_key"], name="processes_enrolment_entry_once"),
            models.UniqueConstraint(
                fields=["process", "active_key"],
                condition=Q(active_key__isnull=False),
                name="processes_enrolment_active_once",
            ),
            models.UniqueConstraint(
                fields=["shop", "group_key"],
                condition=Q(group_key__isnull=False),
                name="processes_enrolment_group_once",
            ),
        ]
        indexes = [
            # Reader: the pick, across shops on purpose.
            models.Index(
                fields=["prio", "run_at"], name="processes_enrolment_run", condition=Q(state__in=(1, 2))
            ),
            # Reader: waking by a fact of an order or cart.
            models.Index(
                fields=["subject_kind", "subject_id"],
                name="processes_enrolment_subject",
                condition=Q(state__in=(1, 2, 3)),
            ),
            # Reader: letting go on those who are set aside, when their process runs again.
            models.Index(fields=["process", "id"], name="processes_enrolment_aside", condition=Q(state=3)),
            # Readers: waking by a fact of a person; when somebody last left a process.
            models.Index(fields=["shop", "contact_id"], name="processes_enrolment_contact"),
        ]


class TurnedAway(ShopOwned):
    """Somebody who came to a process with an order or cart and was not let in: one line for each reason (rule 6)."""

    process_id = models.BigIntegerField()
    subject_kind = models.SmallIntegerField()
    subject_id = models.BigIntegerField()
    code = models.SmallIntegerField()  # engine.codes.Refusal
    contact_id = models.BigIntegerField()
    version_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()  # logical: when they came
    other_id = models.BigIntegerField(null=True)  # the enrolment that stood in the way

    class Meta:
        db_table = "processes_turned_away"
        constraints = [
            models.UniqueConstraint(
                fields=["process_id", "subject_kind", "subject_id", "code"], name="processes_turned_away_once"
            )
        ]
        indexes = [
            # Reader: why somebody did not get something.
            models.Index(fields=["shop", "contact_id"], name="processes_turned_away_contact")
        ]


class HoldoutShare(ShopOwned):
    """A change of the share of people who are left alone, of a process or of the whole shop; only ever added.

    It holds for the enrolments that came after one: they are numbered after the change has waited for whoever was at
    the doors, so the numbers divide them exactly, whenever their cases were opened.
    """

    process = models.ForeignKey(
        Process, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    was_bp = models.IntegerField()  # basis points
    share_bp = models.IntegerField()
    since = models.DateTimeField()  # trade
    after_enrolment = models.BigIntegerField()
    made_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(share_bp__gte=0) & Q(share_bp__lte=5000), name="processes_holdoutshare_range"
            )
        ]
        indexes = [
            # Readers: the door; the reports of what a process brought.
            models.Index(fields=["shop", "process", "-id"], name="processes_holdoutshare_of")
        ]


class VersionMove(ShopOwned):
    """Those inside moved to another version, as a person chose: done by the worker, a chunk at a time."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Ended by a person")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="+", db_index=False)
    version = models.ForeignKey(ProcessVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    from_versions: models.JSONField[Any, Any] = models.JSONField()
    plan: models.JSONField[Any, Any] = models.JSONField()  # moving.plan.Plan
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    cursor = models.BigIntegerField()  # the active key at which the next chunk begins
    whole = models.IntegerField()  # how many there were when it was asked for
    moved = models.IntegerField(default=0)
    ended = models.IntegerField(default=0)
    trouble = models.CharField(max_length=40, default="", blank=True)
    made_by = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()  # trade
    looked_at = models.DateTimeField(default=datetime(2000, 1, 1, tzinfo=UTC))  # real time of the last chunk
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["process"],
                condition=Q(state__in=["waiting", "running"]),
                name="processes_versionmove_one_at_a_time",
            )
        ]
        indexes = [
            # Readers: the moves of a process, newest first.
            models.Index(fields=["shop", "process", "-id"], name="processes_versionmove_list"),
            # Reader: the worker's loop, across shops on purpose.
            models.Index(
                fields=["looked_at", "id"],
                name="processes_versionmove_open",
                condition=Q(state__in=["waiting", "running"]),
            ),
        ]


class LookAhead(ShopOwned):
    """What would go out in the next hours if a draft were published, worked out by the worker page by page."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="+", db_index=False)
    doc: models.JSONField[Any, Any] = models.JSONField(null=True)  # the draft; none is the current version
    plan: models.JSONField[Any, Any] = models.JSONField()  # moving.plan.Plan
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    cursor = models.BigIntegerField()  # the active key at which the next page begins
    done = models.IntegerField(default=0)
    whole = models.IntegerField()
    result: models.JSONField[Any, Any] = models.JSONField(null=True)  # moving.ahead.Ahead
    trouble = models.CharField(max_length=40, default="", blank=True)
    made_by = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()  # trade; the look begins here
    looked_at = models.DateTimeField(default=datetime(2000, 1, 1, tzinfo=UTC))  # real time of the last page

    class Meta:
        indexes = [
            # Readers: the looks of a process, newest first.
            models.Index(fields=["shop", "process", "-id"], name="processes_lookahead_list"),
            # Reader: the worker's loop, across shops on purpose.
            models.Index(
                fields=["looked_at", "id"],
                name="processes_lookahead_open",
                condition=Q(state__in=["waiting", "running"]),
            ),
        ]


class BacktestRun(ShopOwned):
    """A version or a draft tried on a past period: asked for by a person, done by the worker, kept to be looked at."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="+", db_index=False)
    version = models.ForeignKey(
        ProcessVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    doc: models.JSONField[Any, Any] = models.JSONField(null=True)  # the draft as it was; none is a version
    revision = models.BigIntegerField(null=True)  # of the draft: what names `doc`
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    done = models.IntegerField(default=0)  # orders or carts of the period that were walked
    whole = models.IntegerField(default=0)
    result: models.JSONField[Any, Any] = models.JSONField(null=True)  # backtest.result.Result
    left_out: models.JSONField[Any, Any] = models.JSONField(null=True)  # its rows, by reason: LeftOutRow
    trouble = models.CharField(max_length=40, default="", blank=True)
    made_by = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()  # trade; what is learnt later is not looked at
    turns = models.SmallIntegerField(
        default=0
    )  # how often it was begun; a turn that is not the last one writes nothing
    beat_at = models.DateTimeField(
        null=True
    )  # real time of the last progress; an old one lets another worker begin anew
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Asked for twice at once is the same run.
            models.UniqueConstraint(
                fields=["process", "version", "since", "until"],
                condition=Q(state__in=["waiting", "running"]),
                name="processes_backtestrun_one_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["process", "revision", "since", "until"],
                condition=Q(state__in=["waiting", "running"], version__isnull=True),
                name="processes_backtestrun_one_draft_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(version__isnull=False, doc__isnull=True, revision__isnull=True)
                | Q(version__isnull=True, doc__isnull=False, revision__isnull=False),
                name="processes_backtestrun_tries_one",
            ),
        ]
        indexes = [
            # Readers: the runs of a process, newest first.
            models.Index(fields=["shop", "process", "-id"], name="processes_backtestrun_list"),
            # Reader: the worker's loop, across shops on purpose.
            models.Index(
                fields=["id"],
                name="processes_backtestrun_open",
                condition=Q(state__in=["waiting", "running"]),
            ),
        ]


class StepLog(models.Model):
    """The decision ledger: one line for each due step (rule 6). Written by the engine, read by people."""

    pk = models.CompositePrimaryKey("enrolment_id", "step_no")
    enrolment_id = models.BigIntegerField()
    step_no = models.IntegerField()
    shop_id = models.BigIntegerField()
    version_id = models.BigIntegerField()
    node = models.SmallIntegerField()
    outcome = models.SmallIntegerField()
    arm = models.SmallIntegerField(null=True)
    at = models.DateTimeField()  # logical
    done_at = models.DateTimeField()  # trade, when it was done
    reason = models.CharField(max_length=40, default="", blank=True)

    class Meta:
        db_table = "processes_step_log"
        indexes = [
            # Reader: who went through a block lately. Lines are only ever added, so a few pages of it cover a month.
            BrinIndex(fields=["done_at"], name="processes_step_log_done", pages_per_range=32),
        ]
