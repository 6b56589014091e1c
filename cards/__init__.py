"""From determinations to what a clinician reads: cards. Pure; no clock, no randomness."""
