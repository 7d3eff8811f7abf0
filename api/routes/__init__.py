"""The addresses of REST."""
