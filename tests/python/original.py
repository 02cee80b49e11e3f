"""The released repozo as a command of its own, unchanged but for a clock that HIGHWATER_NOW can fix."""

import sys

from clocks import repozo_clock_from_environment
from ZODB.scripts import repozo


if __name__ == '__main__':
    repozo_clock_from_environment(repozo)
    repozo.main(sys.argv[1:])
