"""Our own pages as a source: orders come from `storefront`, so there is nothing to check, read, ask or poll."""

from recoup.shops.base_platform import BasePlatform
from recoup.shops.ports import Capabilities


class Own(BasePlatform):
    """The built-in source: its orders are paid by sessions of ours."""

    kind = "own"
    capabilities = Capabilities(webhooks=False)
