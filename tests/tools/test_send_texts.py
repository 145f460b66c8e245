"""The twin of the bench of sending prints the same mail as we do."""

import re

from bench.send_texts import compiled_text, twin_texts


def test_the_twin_prints_the_rows_of_the_goods_and_no_others() -> None:
    ours, twins = compiled_text(), twin_texts()

    for source, twin in zip((ours.html, ours.text), twins[1:], strict=True):
        assert re.search(r"for extra in", source)
        assert twin.count("Hand cream") == 1
        assert not re.search(r"extra|item\.|\{%-?\s*for", twin)
