"""Mail over SMTP: a kept-open connection that pipelines, and the server's answers in our words.

Knows no table of ours. `smtplib` connects, secures and signs in; from there on the socket is ours (RFC 5321, 2920). Woken by
nobody: the sending loop of `messaging` holds a connection and hands mails over.
"""
