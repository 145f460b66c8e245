"""Which adapter serves which kind: one line each, loaded by its port on first use."""

SHOP_PLATFORMS = {
    "woocommerce": "recoup.integrations.woocommerce.adapter.WooCommerce",
    "generic": "recoup.integrations.generic.adapter.Generic",
    "csvfile": "recoup.integrations.csvfile.adapter.CsvFile",
    "own": "recoup.integrations.own.adapter.Own",
}
OPERATORS = {
    "demobank": "recoup.integrations.demobank.adapter.DemoBank",
}
CHANNELS = {
    "email": "recoup.integrations.smtp.channel.SmtpChannel",
    "smsapi": "recoup.integrations.smsapi.channel.SmsapiChannel",
    "twilio": "recoup.integrations.twilio.channel.TwilioChannel",
}
