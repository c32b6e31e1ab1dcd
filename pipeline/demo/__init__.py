"""A simulated district on loopback: platforms and websites that behave like the real ones, driven by a clock."""
