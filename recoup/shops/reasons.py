"""Why something that a shop sent, or an answer it gave, could not be used: codes with details, and their words.

A reason is kept as `code: details`. The details are what stood in the body or the file, so they are never translated.
"""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

WORDS = {
    # Bodies
    "empty_body": _("The body is empty."),
    "not_utf8": _("The text is not UTF-8 (byte %(details)s)."),
    "not_json": _("The body is not JSON: %(details)s."),
    "not_an_object": _("The body is JSON, but not an object."),
    "too_deep": _("The body is nested too deep: more than %(details)s levels."),
    "duplicate_key": _(
        "The key “%(details)s” stands twice in one object, so nobody can tell which one counts."
    ),
    "bad_number": _("This number cannot be used: %(details)s."),
    "form_body": _("The body is a form; send JSON."),
    "repeated_field": _("The body is a form in which “%(details)s” stands twice; send JSON."),
    "field_missing": _("The field %(details)s is missing."),
    "bad_field": _("A field cannot be used: %(details)s."),
    "bad_list": _("The field %(details)s must be a list of objects."),
    "list_too_long": _("The list is too long: %(details)s."),
    "bad_id": _("This is not an id: %(details)s."),
    "bad_amount": _("This is not an amount: %(details)s. Nothing was rounded or guessed."),
    "bad_currency": _("This is not a currency: %(details)s."),
    "bad_quantity": _("This is not a quantity: %(details)s."),
    "bad_time": _("This is not a date and time: %(details)s."),
    "time_without_zone": _("This time does not say its offset from UTC: %(details)s."),
    "in_the_future": _("This lies more than a day in the future: %(details)s. Check the clock of the shop."),
    "currency_changed": _("The order came in another currency before: %(details)s."),
    "order_unknown": _("It names an order that never came: %(details)s."),
    "payment_unknown": _("It names a payment that never came."),
    "other_account": _("It is about a payment of another account."),
    "same_id_other_body": _(
        "This id came before with another body; the first one counts (number %(details)s)."
    ),
    "rest_error": _(
        "The shop sent an error instead of an order: %(details)s. The user who made the webhook may have lost their rights."
    ),
    "not_a_deletion": _("It says that an order was deleted, but carries a whole order."),
    "busy": _("Somebody else was working on the order; it is tried again."),
    "unexpected": _("Something unexpected happened. The log knows it by the number %(details)s."),
    # Kept and not used
    "unknown_topic": _("We do not use this kind of event: %(details)s."),
    "unknown_status": _("We do not know this status; it is kept and changes nothing."),
    "draft": _("A draft is not an order yet."),
    "test_event": _("A test event, and this source takes real ones."),
    "live_event": _("A real event, and this source takes tests only."),
    "no_webhooks": _("This kind of source sends no webhooks."),
    # Addresses
    "address_unreadable": _("This is not a web address."),
    "address_not_https": _("The address must begin with https://."),
    "address_with_user": _("The address must not hold a user name or password."),
    "address_port": _("Only the ports 443, 8443 and 80 are called, not %(details)s."),
    "address_not_public": _("This address is not on the public internet: %(details)s."),
    "address_is_ours": _("This is the address of this installation itself."),
    "header_refused": _("This header cannot be sent: %(details)s."),
    # Answers of a shop
    "not_reached": _("The shop could not be reached (%(details)s). It is tried again."),
    "tls_failed": _(
        "The certificate of the shop is not valid: %(details)s. Have it renewed; nobody can switch the check off."
    ),
    "too_slow": _("The shop did not answer within %(details)s. It is tried again."),
    "redirected": _("The address leads elsewhere: %(details)s. Enter that address instead."),
    "answer_broken": _("The answer broke off: %(details)s. It is tried again."),
    "answer_compressed": _("The shop compressed its answer although it was asked not to."),
    "answer_too_big": _("The answer is larger than %(details)s."),
    "answer_not_json": _("The answer is not JSON. A plugin of the shop may print messages into it."),
    "answer_not_list": _("The answer is not a list."),
    "answer_not_order": _("The answer is not an order."),
    "answer_status": _("The shop answered %(details)s. It is tried again."),
    "cannot_be_asked": _("This source cannot be asked."),
    "no_coupons": _("This kind of source makes no coupons."),
    "keys_unreadable": _(
        "Its secret cannot be read, because the key file of another installation is used. Put the right one back."
    ),
    "keys_missing": _("The consumer key and its secret are missing."),
    "keys_refused": _(
        "The shop refuses the keys (%(details)s). Make new ones with the right to read and write, under WooCommerce,"
        " Settings, Advanced, REST API."
    ),
    "request_refused": _(
        "The shop does not understand the question (%(details)s). Its WooCommerce may be too old."
    ),
    "no_rest_api": _(
        "There is no WooCommerce REST API at this address (%(details)s). Check the address, and that permalinks are not"
        " “plain”."
    ),
    "no_pay_links": _("The orders carry no pay link; WooCommerce must be version 4 or newer."),
    "hook_missing": _("The shop has no webhook for %(details)s any more."),
    "hook_disabled": _("The shop has switched off its webhook for %(details)s after failed deliveries."),
    "secret_short": _("The secret must be at least 24 bytes, in the form that the shop uses."),
    # Files
    "file_gone": _(
        "The file is not there any more. Upload it again. Where several machines work together, they must share the"
        " folder of uploaded files."
    ),
    "another_order": _(
        "An order with this number is known already, placed on %(details)s by somebody else. If the file comes from another"
        " shop or system, upload it under its own name."
    ),
    "file_empty": _("The file is empty."),
    "file_unreadable": _("The file is not text in %(details)s."),
    "encoding_unsure": _(
        "Nobody can tell how this file writes its letters. Save it as “CSV UTF-8”, or name its encoding in the mapping."
    ),
    "file_not_csv": _("This is not a CSV file but %(details)s. Save it as CSV."),
    "no_header": _("The first line must hold the names of the columns."),
    "columns_doubled": _("Two columns have the same name: %(details)s."),
    "analytics_export": _(
        "This is the export of WooCommerce Analytics. It holds no e-mail and no phone, so nobody in it can be written to."
        " Connect the shop by its REST keys, or use an order-export plugin."
    ),
    "mapping_missing": _("Choose the column for: %(details)s."),
    "mapping_unknown": _("This cannot be imported: %(details)s."),
    "mapping_bad": _("The mapping holds something that cannot be used: %(details)s."),
    "mapping_not_json": _("The mapping is not JSON: %(details)s."),
    "mapping_no_column": _("The file has no column %(details)s."),
    "consent_incomplete": _("Consent needs a column that says from where it is, and one with its date."),
    "row_ragged": _("The line has %(details)s cells."),
    "row_no_order": _("The line names no order."),
    "product_unnamed": _("The line has neither an article number nor an id: %(details)s."),
    "product_twice": _("The product %(details)s stood in the file before; its first line counts."),
    "cost_missing": _("The line says no cost."),
    "cost_by_hand": _(
        "A person entered another cost, which is kept. If it should not be, choose to replace costs entered by hand, too."
    ),
    "cost_currency": _("The product is sold in another currency than %(details)s."),
    "row_apart": _(
        "Lines of the order %(details)s stand apart from each other. Sort the file by order number and import it again."
    ),
    "row_differs": _("The lines of one order disagree about %(details)s."),
    "row_too_long": _("A cell or line is longer than %(details)s characters."),
    "bad_date": _("This is not a date in the chosen form: %(details)s."),
    "bad_consent": _("This is neither yes nor no: %(details)s."),
    "bad_status": _("We do not know this status: %(details)s. Say in the mapping what it means."),
    "row_failed": _("The line could not be written: %(details)s."),
}


def words(reason: str) -> str:
    """Return a reason in the language of whoever reads it; an unknown one as it stands."""
    code, _colon, details = reason.partition(": ")
    template = WORDS.get(code)
    if template is None:
        return reason
    return str(template) % {"details": details or gettext("unknown")}


def all_words(reasons: str) -> list[str]:
    """Return several reasons, kept with semicolons between them, each in words."""
    return [words(reason.strip()) for reason in reasons.split(";") if reason.strip()]
