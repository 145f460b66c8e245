"""What customers do about news."""

from collections.abc import Sequence

from recoup.customers.events import CustomerMerged
from recoup.customers.merging import move_rows
from recoup.customers.queries import who_stands_for


def follow_merged(batch: Sequence[CustomerMerged]) -> None:
    """Give the one who stays what began in the moment of merging and still names the one who went."""
    stands = who_stands_for(news.gone_id for news in batch)
    for news in batch:
        move_rows(news.shop_id, stands.get(news.gone_id, news.contact_id), gone_id=news.gone_id)
