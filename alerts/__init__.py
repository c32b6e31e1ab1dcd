"""Cases, ladder, digest, delivery: what the team and the units are told."""
