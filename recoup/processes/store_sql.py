"""The SQL of the store, and the same reading of facts for enrolments chosen otherwise."""

from importlib.resources import files

PICK, WAKE, SAVE, MOVE = (
    files(__package__).joinpath(f"sql/{name}.sql").read_text() for name in ("pick", "wake", "save", "move")
)
_HEAD, _TAIL = PICK.index("    WHERE state IN (1, 2)"), PICK.index(")\nSELECT e.id")


def facts_sql(condition: str) -> str:
    """Return the pick's statement for enrolments `e` that meet a condition, without locks and limits.

    :param condition: SQL of ours over `e`, its parameters positional; never text from outside.
    """
    head = PICK[:_HEAD].replace("FROM processes_enrolment", "FROM processes_enrolment e")
    return f"{head}    WHERE {condition}\n{PICK[_TAIL:]}"
