"""How much a shop's own text may cost."""

SOURCE_BYTES = 200_000
"""A longer template is refused before anything reads it."""

HTML_REFUSED_BYTES = 500_000
HTML_WARNED_BYTES = 100_000
"""Gmail cuts a mail near 102 KB and hides the rest, the link to unsubscribe with it."""

SUBJECT_CHARACTERS = 200
FIELD_CHARACTERS = 2_000
"""A value longer than this is cut: names and addresses are not books."""

NESTED_BLOCKS = 20
NESTED_ELEMENTS = 60
LOOP_TURNS = 10_000
LOCAL_BYTES = 300_000

ITEM_CPU_SECONDS = 1.0
"""Spent by one mail inside the child, after which it fails as too heavy."""

ANSWER_SECONDS = 2.0
"""What the parent waits for the next mail of a batch before it kills the child: C code is deaf to the child's own timer."""

START_SECONDS = 60.0
MEMORY_BYTES = 256 * 1024 * 1024
"""Address space that a child may take beyond what it has after its imports."""

BATCH_ITEMS = 100
CACHED_TEMPLATES = 128
CACHED_SOURCE_BYTES = 2_000_000
"""Compiled templates kept by a child; parse trees take about twelve times their source."""
