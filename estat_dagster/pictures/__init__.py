"""Pictures of data as PNG, with Japanese labels. matplotlib is imported when the first one is drawn."""
