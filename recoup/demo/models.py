"""What the demo's mailbox has caught."""

from django.db import models


class CaughtMail(models.Model):
    """A mail that would have gone to a buyer; it never left this machine."""

    id = models.BigAutoField(primary_key=True)
    sender = models.TextField()
    recipient = models.TextField()
    subject = models.TextField()
    caught_at = models.DateTimeField()  # trade
    content = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["-id"], name="demo_caughtmail_list")]  # Reader: the mailbox page.
