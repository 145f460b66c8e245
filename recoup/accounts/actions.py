"""What changes accounts of staff."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from recoup.accounts.models import User
from recoup.core.models import Installation


class AlreadySetUp(ValidationError):
    """The first owner exists; the wizard runs once (T3)."""


def create_user(*, email: str, password: str, name: str = "", language: str = "en") -> User:
    """Make an account that can sign in.

    :raises ValidationError: if the address or the password will not do, in words for the person.
    """
    email = email.strip().lower()
    validate_email(email)
    validate_password(password, User(email=email, name=name))
    with transaction.atomic():
        if User.objects.filter(email=email).exists():
            raise ValidationError(_("There is an account with this e-mail already."))
        user = User.objects.create_user(email, password, name=name[:120], language=language)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def create_first_owner(
    *, email: str, password: str, name: str = "", language: str = "en", now: datetime
) -> User:
    """Make the first account of the installation, once; two at the same moment make one.

    :raises AlreadySetUp: if there is an account.
    :raises ValidationError: if the address or the password will not do.
    """
    with transaction.atomic():
        # The row of the installation is the lock: the wizard may be open in two tabs.
        Installation.objects.select_for_update().get_or_create(pk=1)
        if User.objects.exists():
            raise AlreadySetUp(_("Recoup is set up already. Sign in, or ask the owner for an invitation."))
        user = create_user(email=email, password=password, name=name, language=language)
        User.objects.filter(pk=user.pk).update(date_joined=now)
    return user
