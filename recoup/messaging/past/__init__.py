"""What the sender would have decided about messages that were never there: for back-tests, walks and looks ahead.

The decisions are the sender's own (`sender.judge`, `rules`, `quiet`, `sender.passing`); what they look at comes from here,
as it was at an instant, and not from locked rows. `rules` is what a shop has set, `people` whom a channel reaches and
what they agreed to, `sent` what they really got from others, `purse` the guard of money, `texts` what a short message comes
to, `deciding` puts it together. Nothing is written.
"""
