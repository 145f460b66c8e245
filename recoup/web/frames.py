"""Mails shown to staff: foreign HTML under a policy of its own, in a sandboxed frame."""

from django.http import HttpResponse

# Styles of mails are inline by nature; scripts, forms and other hosts are not to be had (R38).
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none';"
    " form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def framed_mail(html: str) -> HttpResponse:
    """Return HTML of a mail as an answer that can be framed by our own pages only."""
    linked = html.replace("<head>", '<head><base target="_blank">', 1)
    response = HttpResponse(linked, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY.replace("base-uri 'none'; ", "base-uri 'self'; ")
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
