"""The front of the web server: takes requests in whole, then lets the few threads of the application work on them (T14).

Knows of HTTP only what ASGI tells it; woken by granian. A slow caller costs it a few bytes of memory and no thread.
"""
