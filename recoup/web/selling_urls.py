"""Addresses of the daily work: home, orders, recovery, customers, processes, messages, reports."""

from django.urls import URLPattern, URLResolver, path

from recoup.web import editor_urls
from recoup.web.views import (
    attention,
    backtests,
    customers,
    effects,
    home,
    messages,
    order,
    orders,
    processes,
    recovery,
    report,
    report_files,
    reports,
    search,
    why,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("attention/", attention.attention, name="attention"),
    path("attention/<int:item_id>/settle/", attention.settle, name="attention_settle"),
    path("why/", why.why, name="why"),
    path("search/", search.find, name="search"),
    path("orders/", orders.orders, name="orders"),
    path("orders/bulk/", orders.bulk, name="orders_bulk"),
    path("orders/<int:order_id>/", order.order, name="order"),
    path("orders/<int:order_id>/status/", order.set_status, name="order_status"),
    path("orders/<int:order_id>/cancel/", order.cancel, name="order_cancel"),
    path("orders/<int:order_id>/take/", order.take, name="order_take"),
    path("orders/<int:order_id>/release/", order.release, name="order_release"),
    path("orders/<int:order_id>/promise/", order.promise, name="order_promise"),
    path("orders/<int:order_id>/pause/", order.pause, name="order_pause"),
    path("orders/<int:order_id>/resume/", order.resume, name="order_resume"),
    path("orders/<int:order_id>/duplicate/", order.duplicate, name="order_duplicate"),
    path("orders/<int:order_id>/note/", order.note, name="order_note"),
    path("orders/<int:order_id>/send-link/", order.send_link, name="order_send_link"),
    path("orders/<int:order_id>/give-back/", order.give_back, name="order_give_back"),
    path("orders/<int:order_id>/free/", order.free, name="order_free"),
    path("recovery/", recovery.recovery, name="recovery"),
    path("recovery/report/", report.report, name="report"),
    path("recovery/report.csv", report_files.report_file, name="report_file"),
    path("recovery/brought.csv", report_files.brought_file, name="brought_file"),
    path("customers/", customers.customers, name="customers"),
    path("customers/<int:contact_id>/", customers.customer, name="customer"),
    path("customers/<int:contact_id>/tags/", customers.tags, name="customer_tags"),
    path(
        "customers/<int:contact_id>/same/<int:suggestion_id>/merge/", customers.merge, name="customer_merge"
    ),
    path(
        "customers/<int:contact_id>/same/<int:suggestion_id>/apart/", customers.apart, name="customer_apart"
    ),
    path("processes/", processes.processes, name="processes"),
    path("processes/<int:process_id>/", processes.process, name="process"),
    path("processes/<int:process_id>/status/", processes.set_status, name="process_status"),
    path("processes/<int:process_id>/result/", effects.result, name="process_result"),
    path("processes/<int:process_id>/result/people/", effects.people, name="process_people"),
    path("processes/<int:process_id>/left-alone/", effects.left_alone, name="process_left_alone"),
    path("processes/<int:process_id>/take-way/", effects.take_way, name="process_take_way"),
    path("processes/<int:process_id>/try/", backtests.start, name="backtest_new"),
    path("processes/<int:process_id>/try/<int:backtest_id>/", backtests.backtest, name="backtest"),
    *editor_urls.urlpatterns,
    path("messages/", messages.messages, name="messages"),
    path("messages/<int:message_id>/", messages.message, name="message"),
    path("messages/<int:message_id>/frame/", messages.message_frame, name="message_frame"),
    path("messages/<int:message_id>/settle/", messages.settle, name="message_settle"),
    path("messages/<int:message_id>/retry/", messages.retry, name="message_retry"),
    path("reports/", reports.reports, name="reports"),
]
