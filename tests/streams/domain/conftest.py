"""Settings of the laws: they are tried on any machine, however busy."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
