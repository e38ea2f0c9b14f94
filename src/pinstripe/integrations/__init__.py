"""Webhook receivers for web frameworks and task queues; each module imports only its own framework."""
