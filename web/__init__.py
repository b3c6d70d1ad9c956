"""Everything that meets a browser, a terminal or the time."""
