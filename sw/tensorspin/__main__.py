"""The command line as a module: ``python -m tensorspin COMMAND ...``."""

import sys

from .cli.main import main

sys.exit(main())
