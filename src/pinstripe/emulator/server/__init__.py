"""Requests in, responses out: transports, the ASGI application, routing and idempotency."""
