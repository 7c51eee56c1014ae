"""The phases of a job: each is announced before it begins, and timed."""

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Phases:
    """Seconds by phase, in the order in which they began."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def phase(self, name: str, what: str) -> Iterator[None]:
        """Log what is being done and add the time that it takes to the phase."""
        logging.info("%s", what)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
