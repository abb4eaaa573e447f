"""One run, in this process: ``python -m benchmarks.worker SUITE SETTINGS``.

Prints the result as one line of JSON, after whatever libraries have to say.
"""

import importlib
import json
import sys

if __name__ == "__main__":
    suite, settings = sys.argv[1:]
    measure = importlib.import_module(f"benchmarks.{suite}").measure
    print("\n" + json.dumps(measure(**json.loads(settings))))
