"""Whether backbones take the sizes of their runs, told before any job.

A process of its own, because importing timm takes seconds and memory that a workflow need not keep:
`python -m histopatch.backbones.check` reads the settings of runs from its standard input.
"""

import json
import sys

from histopatch.backbones.build import expected
from histopatch.errors import InputError
from histopatch.settings import Settings


def main() -> int:
    """Return 0, or print the first fault as one line and return 1."""
    try:
        for identity in json.load(sys.stdin):
            expected(Settings(**identity))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
