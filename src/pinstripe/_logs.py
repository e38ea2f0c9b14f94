"""Logs to stderr for the environment variable ``PINSTRIPE_LOG``."""

from __future__ import annotations

import logging
import os

__all__ = ["log_as_environment_says"]


def log_as_environment_says(logger: logging.Logger) -> None:
    """Log to stderr if ``PINSTRIPE_LOG`` is ``info`` (retries) or ``debug`` (requests, too)."""
    level = os.environ.get("PINSTRIPE_LOG", "").strip().lower()
    if not level:
        return
    if level not in ("info", "debug"):
        logger.warning("PINSTRIPE_LOG is %r: it may be info or debug.", level)
        return
    logger.setLevel(level.upper())
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s: %(message)s"))
    logger.addHandler(handler)
