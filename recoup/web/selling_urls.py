"""Addresses of what sells: Home, Orders, Recovery, Customers, Processes, Messages, Reports."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
