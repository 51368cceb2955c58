#!/usr/bin/env bash
# Does memory grow with the tenant? Peak memory of one job over 1,000, 10,000 and 100,000 mailboxes.
#
#   benches/memory.sh [--peer-all] [--no-peer]
#
# The job lists all mailboxes and reads each in a loop (benches/list-and-loop.yaml), with the release binary, against
# an emulator in another process. Beside it, in the same run, a Python script with `requests` does the same
# (benches/peer.py) over 1,000 and 10,000; --peer-all adds 100,000, --no-peer leaves it out.
#
# Memory is the kernel's maximum resident set of the process (wait4's ru_maxrss). The script fails if the three figures
# of exorun differ by more than 5 MB.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SIZES=(1000 10000 100000)
readonly SPREAD_KB_MAX=5120
readonly TENANT=contoso.onmicrosoft.com

peer_sizes=(1000 10000)
for argument in "$@"; do
  case "$argument" in
    --peer-all) peer_sizes=("${SIZES[@]}") ;;
    --no-peer) peer_sizes=() ;;
    *) echo "benches/memory.sh: there is no option \`$argument\`" >&2; exit 64 ;;
  esac
done

cargo build --release --locked --quiet
exorun="${CARGO_TARGET_DIR:-$PWD/target}/release/exorun"

work=$(mktemp -d)
emulator=
stop_emulator() {
  [ -n "$emulator" ] || return 0
  kill -TERM "$emulator" 2>/dev/null || true
  wait "$emulator" || true
  emulator=
}
trap 'stop_emulator; rm -rf "$work"' EXIT

# The peer's interpreter, in a folder of its own: the machine's Python is left alone.
if [ ${#peer_sizes[@]} -gt 0 ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check requests
fi

# measure COMMAND…: runs it with its standard output on ours; peak memory (KB) and seconds go to $work/measured.
measure() {
  MEASURED="$work/measured" python3 - "$@" <<'PYTHON'
import os, sys, time
began = time.monotonic()
child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
with open(os.environ["MEASURED"], "w") as file:
    file.write(f"{usage.ru_maxrss} {time.monotonic() - began:.1f}\n")
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
}

start_emulator() { # MAILBOXES PROGRAM
  out="$work/emulator-$1-$2"
  "$exorun" emulate --mailboxes "$1" --out "$out" --log-level error &
  emulator=$!
  for _ in $(seq 200); do
    [ -s "$out/settings.yaml" ] && return
    kill -0 "$emulator" 2>/dev/null || break
    sleep 0.05
  done
  echo "benches/memory.sh: the emulator did not start" >&2
  exit 1
}

exorun_run() { # MAILBOXES
  start_emulator "$1" exorun
  EXORUN_CLIENT_SECRET=$(cat "$out/client-secret") EXORUN_STATE_DIR="$out/state" measure \
    "$exorun" run benches/list-and-loop.yaml --settings "$out/settings.yaml" --log-level warn --report "$out/report.json" >"$out/table"
  # Only a run that has seen every mailbox counts.
  python3 - "$out/report.json" "$1" <<'PYTHON'
import json, sys
steps = {step["name"]: step for step in json.load(open(sys.argv[1]))["steps"]}
seen = (steps["all"]["items"], steps["loop"]["unchanged"])
if seen != (int(sys.argv[2]),) * 2:
    sys.exit(f"benches/memory.sh: exorun saw {seen}, there are {sys.argv[2]}")
# Repeats cost time, not memory; they are named so that the time is not read as the program's pace.
if repeats := sum(step["retries"] for step in steps.values()):
    print(f"benches/memory.sh: {repeats} requests were repeated; see the warnings", file=sys.stderr)
PYTHON
  stop_emulator
}

peer_run() { # MAILBOXES
  start_emulator "$1" peer
  measure "$work/venv/bin/python" benches/peer.py "$out" "$TENANT" >"$out/seen"
  grep -qx "$1 mailboxes, $1 as declared" "$out/seen" || { echo "benches/memory.sh: the peer: $(cat "$out/seen")" >&2; exit 1; }
  stop_emulator
}

printf '%-8s %9s %12s %9s\n' program mailboxes 'peak (MB)' 'time (s)'
row() { # PROGRAM MAILBOXES
  read -r kilobytes seconds <"$work/measured"
  awk -v p="$1" -v n="$2" -v kb="$kilobytes" -v s="$seconds" 'BEGIN { printf "%-8s %9d %12.1f %9s\n", p, n, kb / 1024, s }'
}
least= most=0
for size in "${SIZES[@]}"; do
  exorun_run "$size"
  row exorun "$size"
  [ -n "$least" ] && [ "$least" -le "$kilobytes" ] || least=$kilobytes
  [ "$most" -ge "$kilobytes" ] || most=$kilobytes
done
for size in ${peer_sizes[@]+"${peer_sizes[@]}"}; do
  peer_run "$size"
  row requests "$size"
done

spread=$((most - least))
awk -v kb="$spread" 'BEGIN { printf "exorun: %.1f MB between the least and the most\n", kb / 1024 }'
if [ "$spread" -gt "$SPREAD_KB_MAX" ]; then
  echo "benches/memory.sh: memory grows with the tenant: more than $((SPREAD_KB_MAX / 1024)) MB apart" >&2
  exit 1
fi
