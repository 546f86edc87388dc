"""Pages become Arrow, Arrow becomes the lake's columns, and the lake's columns become valid and quarantined rows."""
