"""Finance: the last image of each entity, and a journal of balanced entries."""
