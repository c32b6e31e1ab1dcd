"""The pages: rendered on the server, useful before any script runs, and safe on a machine that others use too."""
