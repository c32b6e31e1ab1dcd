"""One module per command; each has `run(...) -> exit code` and is imported only when it is asked for."""
