"""Learning rate schedules, one module each: `make(optimizer, steps)` returns one to step once per batch."""
