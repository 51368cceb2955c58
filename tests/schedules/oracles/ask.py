"""Answers the questions of standard input with croniter and cronsim: a JSON object a line in and out.

Both are asked for the due times after an instant, on the clocks of a zone, and say them as seconds since the epoch."""

import json
import sys
import zoneinfo
from datetime import datetime, timezone

from croniter import croniter
from cronsim import CronSim


def of_croniter(question, start):
    found = croniter(question["cron"], start)
    return [int(found.get_next(float)) for _ in range(question["count"])]


def of_cronsim(question, start):
    found = CronSim(question["cron"], start)
    return [int(next(found).timestamp()) for _ in range(question["count"])]


def main():
    for line in sys.stdin:
        question = json.loads(line)
        at = datetime.fromtimestamp(question["after"], timezone.utc)
        start = at.astimezone(zoneinfo.ZoneInfo(question["time_zone"]))
        answer = {}
        for name, ask in (("croniter", of_croniter), ("cronsim", of_cronsim)):
            try:
                answer[name] = {"due": ask(question, start)}
            except Exception as error:  # pylint: disable=broad-exception-caught
                answer[name] = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer))


main()
