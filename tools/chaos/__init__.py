"""Breaks a running system in every way that it must stand, and judges what it has made of it."""
