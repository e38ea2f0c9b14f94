"""HTTP: transports, the ASGI application, requests, routing, idempotency and faults."""
