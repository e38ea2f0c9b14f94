"""Webhook receivers for the frameworks that people deploy; each module needs only its own framework."""
