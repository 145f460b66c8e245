"""The WSGI entry that granian serves. Unsafe settings refuse to start."""

import os

from django.core.wsgi import get_wsgi_application

from recoup.config.safety import refuse_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recoup.config.settings")
application = get_wsgi_application()
refuse_unsafe()
