"""The engine: a Faust app that decides adjustments exactly once."""
