"""Runs everything on a schedule: jobs, ticker and command line. The only wiring, and the only reader of a clock."""
