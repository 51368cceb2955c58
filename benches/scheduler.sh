#!/usr/bin/env bash
# What does the scheduler take with 100,000 jobs, and how late is what starts? Beside it, in the same run, APScheduler (PyPI) and
# node-cron (npm) get as many jobs; they keep them in memory only, exorun writes each start and each end to its history first.
#
#   benches/scheduler.sh [--profile NAME] [--idle SECONDS] [--no-peer]
#
# Each measurement is a process of its own (examples/scheduler.rs, benches/scheduler/), with work that does nothing. A peer that
# fails or takes longer than two minutes is shown so. It fails if a result of exorun is wrong: jobs that are missing, or starts.
# Needs cargo; for the peers Python 3 with venv, node with npm, and their package indexes.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly JOBS=100000 AT_ONCE=1000 A_SECOND=100 SECONDS_LONG=30
# 2,000 files of 50 jobs: a file may have 64.
readonly FILES=2000 DOCUMENTS=50
readonly PATIENCE=120

profile=dist idle=30 peers=yes
while [ $# -gt 0 ]; do
  case "$1" in
    --profile) profile=${2:?"benches/scheduler.sh: --profile needs a name"}; shift 2 ;;
    --idle) idle=${2:?"benches/scheduler.sh: --idle needs seconds"}; shift 2 ;;
    --no-peer) peers=; shift ;;
    *) echo "benches/scheduler.sh: there is no option \`$1\`" >&2; exit 64 ;;
  esac
done

cargo build --profile "$profile" --locked --quiet --example scheduler
program="${CARGO_TARGET_DIR:-$PWD/target}/$profile/examples/scheduler"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$peers" ]; then
  python3 -m venv "$work/python"
  "$work/python/bin/pip" install --quiet --disable-pip-version-check apscheduler==3.11.3
  npm install --silent --no-audit --no-fund --prefix "$work/npm" node-cron@4.6.0
fi

ours() { # WHAT MEASUREMENT [NUMBERS…]
  local what=$1 measurement=$2 folder said
  shift 2
  folder=$(mktemp -d -p "$work")
  said=$("$program" "$measurement" "$folder" "$@")
  printf '%-26s %-12s %s\n' "$what" exorun "$said"
  rm -rf "$folder"
}

peer() { # WHAT NAME COMMAND…
  local what=$1 name=$2 said
  shift 2
  # The last line: what a failure says in the end.
  if ! said=$(TZ=UTC NODE_PATH="$work/npm/node_modules" timeout "$PATIENCE" "$@" 2>&1); then
    said="failed, or took longer than $PATIENCE s: $(tail -n 1 <<<"$said")"
  fi
  printf '%-26s %-12s %s\n' "$what" "$name" "$said"
}

their() { # WHAT MEASUREMENT JOBS
  [ -n "$peers" ] || return 0
  peer "$1" APScheduler "$work/python/bin/python" benches/scheduler/peer.py "$2" "$3"
  peer "$1" node-cron node benches/scheduler/peer.cjs "$2" "$3"
}

echo "profile $profile, $(nproc) cores, load $(cut -d ' ' -f 1-3 /proc/loadavg)"
ours "$JOBS jobs, 1440 texts" load "$JOBS" repeated
their "$JOBS jobs, 1440 texts" load "$JOBS"
ours "$JOBS jobs, all distinct" load "$JOBS" distinct
ours "$AT_ONCE in one second" burst "$AT_ONCE"
their "$AT_ONCE in one second" burst "$AT_ONCE"
ours "$A_SECOND a second" stream "$A_SECOND" "$SECONDS_LONG"
ours "$JOBS jobs, idle" idle "$JOBS" "$idle"
ours "$FILES files of $DOCUMENTS jobs" files "$FILES" "$DOCUMENTS"
