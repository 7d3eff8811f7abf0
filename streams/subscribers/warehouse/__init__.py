"""The data warehouse: every after-image in Parquet files, and the commits that say which count."""
