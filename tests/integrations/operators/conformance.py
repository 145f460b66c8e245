"""What every payment operator must hold: inherit `OperatorConformance` and give it a `harness`.

The suite goes through our own doors (sessions, the hook) and looks at orders, attempts and attention; it knows the operator
only through the harness, which plays its server.
"""

import pytest

from tests.integrations.operators.answering import AnsweringConformance
from tests.integrations.operators.telling import TellingConformance


@pytest.mark.django_db
class OperatorConformance(TellingConformance, AnsweringConformance):
    """The whole suite."""
