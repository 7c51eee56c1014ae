"""Learning rate schedules, one module each.

`make(optimizer, steps, warmup)` returns one to step once per batch. steps: those of the whole training;
warmup: the share of them over which the rate first rises to its value.
"""
