"""Subscribers: what they keep, and what they refuse."""
