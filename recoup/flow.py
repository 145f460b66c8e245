"""Who hears which news, in the order of an order's life."""

from recoup.core import outbox

ROUTES: outbox.Routes = {}
