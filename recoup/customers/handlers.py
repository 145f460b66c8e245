"""What customers do about news."""

from collections.abc import Sequence

from recoup.customers.events import CustomerMerged
from recoup.customers.merging import move_rows


def follow_merged(batch: Sequence[CustomerMerged]) -> None:
    """Give the one who stays what began in the moment of merging and still names the one who went."""
    for news in batch:
        move_rows(news.shop_id, news.contact_id, gone_id=news.gone_id)
