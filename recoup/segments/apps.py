"""The app of the package."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    """Conditions and saved segments."""

    name = "recoup.segments"
    label = "segments"
