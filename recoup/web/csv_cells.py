"""Cells of CSV files that strangers may have written into."""

_FORMULA = tuple("=+-@\t\r|%＝")


def plain_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (T143)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
