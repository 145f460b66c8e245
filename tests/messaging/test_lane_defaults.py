"""What the database itself fills in of a lane, for rows that are inserted in bulk."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def test_a_lane_without_a_warm_up_needs_none_to_be_written() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_default FROM information_schema.columns"
            " WHERE table_name = 'messaging_lane' AND column_name = 'warmup'"
        )
        assert cursor.fetchone() == ("'{}'::integer[]",)
