"""Judges the two forms of a metrics page, given as two files: the older text and OpenMetrics.

OpenMetrics is read by prometheus_client's strict parser; both forms must hold the same samples. Prints their number.
"""

import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as strict


def samples(families):
    return sorted(
        (sample.name, sorted((key, bound(key, value)) for key, value in sample.labels.items()), sample.value)
        for family in families
        for sample in family.samples
    )


def bound(key, value):
    """Buckets' bounds are spelled in two ways: `1` and `1.0`."""
    return float(value) if key == "le" else value


text, openmetrics = (open(path, encoding="utf-8", newline="").read() for path in sys.argv[1:])
old = samples(parser.text_string_to_metric_families(text))
new = samples(strict.text_string_to_metric_families(openmetrics))
if old != new:
    sys.exit(f"the forms differ: {[one for one in old + new if (one in old) != (one in new)]}")
print(len(new))
