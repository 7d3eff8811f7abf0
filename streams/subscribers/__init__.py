"""Readers of business transactions: Finance and the data warehouse."""
