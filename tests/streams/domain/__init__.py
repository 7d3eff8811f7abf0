"""Tests of what is decided about money."""
