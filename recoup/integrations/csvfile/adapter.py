"""Files as a source: they bring orders in when a person imports them, and tell nothing by themselves."""

from recoup.shops.base_platform import BasePlatform
from recoup.shops.ports import Capabilities


class CsvFile(BasePlatform):
    """The source that imported orders belong to."""

    kind = "csvfile"
    capabilities = Capabilities(webhooks=False)
