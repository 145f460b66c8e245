"""The sending loop: claim, prepare, mark, check and hand over, end (design 6).

One promise holds it together: *no DATA verb after the payment is known*. `look` locks what forbids and reads it,
`judge` decides, `handing` hands over while the locks are held, `ends` records. Free of any platform, operator or
protocol: the line to a server comes through `messaging.ports`.
"""
