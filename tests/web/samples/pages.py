"""Every page with its sample context."""

from collections.abc import Callable
from typing import Any

from tests.web.samples import brought, keeping, moving, running, selling, trying, why

Page = tuple[str, Callable[..., dict[str, Any]]]

PAGES: dict[str, Page] = {
    "home": ("web/home.html", selling.home),
    "home_first": ("web/home.html", selling.home_first),
    "orders": ("web/orders.html", selling.orders),
    "orders_empty": ("web/orders.html", selling.orders_empty),
    "order": ("web/order.html", selling.order),
    "recovery": ("web/recovery.html", selling.recovery),
    "recovery_report": ("web/recovery_report.html", selling.recovery_report),
    "customers": ("web/customers.html", keeping.customers),
    "customer": ("web/customer.html", keeping.customer),
    "processes": ("web/processes.html", keeping.processes),
    "process": ("web/process.html", keeping.process),
    "why": ("web/why.html", why.why),
    "process_move": ("web/process_move.html", moving.move),
    "process_moving": ("web/process_moving.html", moving.moving),
    "backtest_start": ("web/backtest_start.html", trying.backtest_start),
    "backtest_running": ("web/backtest.html", trying.backtest_running),
    "backtest": ("web/backtest.html", trying.backtest),
    "process_result": ("web/process_result.html", brought.process_result),
    "process_result_unknown": ("web/process_result.html", brought.process_result_unknown),
    "process_people": ("web/process_people.html", brought.process_people),
    "left_alone": ("web/settings/left_alone.html", brought.left_alone),
    "messages": ("web/messages.html", keeping.messages),
    "message": ("web/message.html", keeping.message),
    "search": ("web/search.html", keeping.search),
    "reports": ("web/reports.html", running.reports),
    "attention": ("web/attention.html", running.attention),
    "settings": ("web/settings/index.html", running.settings),
    "settings_form": ("web/settings/form.html", running.settings_form),
    "settings_mail": ("web/settings/mail.html", running.settings_mail),
    "settings_waiting": ("web/settings/waiting.html", running.settings_waiting),
    "settings_sources": ("web/settings/sources.html", running.settings_sources),
    "settings_source": ("web/settings/source.html", running.settings_source),
    "settings_intake": ("web/settings/intake.html", running.settings_intake),
    "settings_people": ("web/settings/people.html", running.settings_people),
    "settings_texts": ("web/settings/texts.html", running.settings_texts),
    "settings_text": ("web/settings/text.html", running.settings_text),
    "settings_import": ("web/settings/import.html", running.settings_import),
    "settings_encoding": ("web/settings/import.html", running.settings_encoding),
    "settings_products": ("web/settings/products.html", running.settings_products),
    "wizard": ("web/wizard.html", running.wizard),
    "wizard_done": ("web/wizard_done.html", running.wizard_done),
    "sign_in": ("account/login.html", running.sign_in),
    "second_step": ("mfa/authenticate.html", running.sign_in),
    "activate": ("mfa/totp/activate_form.html", running.activate),
    "not_found": ("404.html", running.empty),
    "not_allowed": ("403.html", running.empty),
    "broken": ("500.html", running.empty),
}
