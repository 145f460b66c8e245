"""How many messages a lane sends in a day: its quota, lower while it is warmed up. Real days of the shop's zone."""

from django.db import connection

# What is left of the day's quota; null where a lane has none. `l` is the lane, `s` its shop.
TODAY = "(clock_timestamp() AT TIME ZONE s.time_zone)::date"
QUOTA = f"""least(l.daily_quota, CASE WHEN {TODAY} - l.warmup_since BETWEEN 0 AND cardinality(l.warmup) - 1
    THEN l.warmup[{TODAY} - l.warmup_since + 1] END)"""
MIDNIGHT = f"({TODAY}::timestamp AT TIME ZONE s.time_zone)"  # when the day began
LEFT = f"({QUOTA} - CASE WHEN l.taken_on = {TODAY} THEN l.taken ELSE 0 END)"


def take(lane_id: int, count: int) -> int:
    """Take up to so many places of the day, in the transaction of the mark; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH q AS (
                SELECT l.id, {TODAY} AS today, CASE WHEN l.taken_on = {TODAY} THEN l.taken ELSE 0 END AS taken,
                    least(%s, greatest(coalesce({LEFT}, %s), 0)) AS granted
                FROM messaging_lane l JOIN shops_shop s ON s.id = l.shop_id
                WHERE l.id = %s AND (l.daily_quota IS NOT NULL OR l.warmup_since IS NOT NULL)
                FOR NO KEY UPDATE OF l
            )
            UPDATE messaging_lane l SET taken_on = q.today, taken = q.taken + q.granted
            FROM q WHERE l.id = q.id RETURNING q.granted
            """,  # noqa: S608 - pieces of this file
            [count, count, lane_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row is not None else count


def give_back(lane_id: int, count: int) -> None:
    """Free places of messages that did not leave."""
    if count:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_lane SET taken = greatest(taken - %s, 0) WHERE id = %s AND taken_on IS NOT NULL",
                [count, lane_id],
            )


def rest_until_tomorrow(lane_id: int) -> None:
    """Let a lane rest whose day is full, an hour at most, so that new settings are soon seen; its messages say why."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE messaging_lane l SET next_at = least(clock_timestamp() + interval '1 hour',
                ({TODAY} + 1)::timestamp AT TIME ZONE s.time_zone)
            FROM shops_shop s WHERE s.id = l.shop_id AND l.id = %s
            """,  # noqa: S608 - a piece of this file
            [lane_id],
        )
        cursor.execute(
            "UPDATE messaging_message SET reason = 'daily_quota' WHERE id = ANY (ARRAY("
            "SELECT id FROM messaging_message WHERE lane_id = %s AND state = 'due' AND prio IN (0, 1, 2)"
            " AND due_at <= clock_timestamp() AND reason = '' ORDER BY prio, due_at LIMIT 500 FOR UPDATE SKIP LOCKED))",
            [lane_id],
        )
