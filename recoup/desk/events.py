"""News of the desk."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TaskDone:
    """A task was done or called off. `enrolment_id` is that of the process that asked for it."""

    shop_id: int
    task_id: int
    enrolment_id: int | None
    at: datetime
