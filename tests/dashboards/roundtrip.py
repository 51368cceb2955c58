"""Loads a dashboard through Grafana's own models and writes it again: whatever the models do not know is lost on the way.

Usage: roundtrip.py FILE. Prints each difference and ends with 1 if there is one.
"""

import json
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard, prometheus


def differences(place, before, after):
    """Places at which two values differ, with what stands there."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if key not in after:
                yield f"{place}/{key}: lost"
            elif key not in before:
                yield f"{place}/{key}: added {json.dumps(after[key])}"
            else:
                yield from differences(f"{place}/{key}", before[key], after[key])
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after)):
            yield from differences(f"{place}/{index}", one, other)
    elif before != after:
        yield f"{place}: {json.dumps(before)} became {json.dumps(after)}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        before = json.load(file)
    plugins.register_default_plugins()
    board = dashboard.Dashboard.from_json(before)
    found = list(differences("", before, json.loads(json.dumps(board, cls=JSONEncoder))))
    # A query that the models do not know is kept in a bag, and so would come back whole.
    for panel in board.panels:
        for target in getattr(panel, "targets", None) or []:
            if not isinstance(target, prometheus.Dataquery):
                found.append(f"panel {panel.id_val}: a query that is none of Prometheus")
    print("\n".join(found), end="")
    sys.exit(1 if found else 0)


main()
