"""A second reading of the rules: judges every decision of the engine from published messages."""
