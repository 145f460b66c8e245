"""What the document of a process may name beside its own blocks: other processes, other programs."""

from recoup.processes.call_models import WebhookEndpoint
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.entries import subject_of
from recoup.processes.models import Process, ProcessDraft


def others_of(process: Process) -> tuple[dict[int, SubjectKind], set[int]]:
    """Return what the other processes of the shop are about (those never published by their draft), and its programs."""
    others = Process.objects.filter(shop_id=process.shop_id).exclude(pk=process.pk)
    known = {one.pk: one.current_version for one in others.select_related("current_version")}
    found = {pk: subject_of(version.doc["entry"]) for pk, version in known.items() if version is not None}
    drafts = ProcessDraft.objects.filter(process__in=[pk for pk in known if pk not in found])
    found |= {draft.process_id: subject_of(draft.doc["entry"]) for draft in drafts}
    programs = WebhookEndpoint.objects.filter(shop_id=process.shop_id).values_list("pk", flat=True)
    return found, set(programs)
