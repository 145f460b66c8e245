"""The one table of the kinds of blocks: a new kind is a module beside this one and a line here."""

from recoup.processes.engine.nodes import (
    condition,
    end,
    enrol,
    goal,
    offer,
    order_status,
    send,
    split,
    tag,
    task,
    until,
    wait,
    webhook,
)
from recoup.processes.engine.nodes.base import Kind

KINDS: dict[str, Kind] = {
    "wait": wait.KIND,
    "until": until.KIND,
    "if": condition.KIND,
    "split": split.KIND,
    "send": send.KIND,
    "offer": offer.KIND,
    "order_status": order_status.KIND,
    "tag": tag.KIND,
    "task": task.KIND,
    "enrol": enrol.KIND,
    "webhook": webhook.KIND,
    "goal": goal.KIND,
    "end": end.KIND,
}
