"""The delivery protocol as written, over a simulated cluster: one seed fixes a run."""
