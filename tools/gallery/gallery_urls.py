"""No addresses: sample pages name theirs in full."""

urlpatterns: list[object] = []
