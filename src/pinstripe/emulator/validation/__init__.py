"""Validation of requests, and the errors of Stripe's API."""
