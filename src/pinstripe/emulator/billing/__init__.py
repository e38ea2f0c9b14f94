"""Amounts, periods, proration, invoice lines and renewals."""
