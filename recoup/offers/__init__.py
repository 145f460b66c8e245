"""Personal offers: discounts, free delivery and gifts for one person, their codes, margin floor and budgets.

Woken by steps of processes and by staff; hears payments and cancellations. Gives `OfferDecided`, `OfferGranted`,
`OfferRedeemed`.
"""
