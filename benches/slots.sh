#!/usr/bin/env bash
# What does a slot cost on one host? Taking and giving back one of five, beside a bounded semaphore over file locks from PyPI
# (portalocker), which writes no record, survives no power cut, counts no opens and knows no quarantine.
#
#   benches/slots.sh [--profile NAME]
#
# On the disk of the temporary files and, where it is, on /dev/shm: the difference is what it costs to have the record on the
# disk before a session opens. Needs cargo, Python 3 with venv and a package index.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=dist
[ "${1:-}" != --profile ] || profile=${2:?"benches/slots.sh: --profile needs a name"}
readonly ROUNDS=2000

cargo build --profile "$profile" --locked --quiet --example slots
program="${CARGO_TARGET_DIR:-$PWD/target}/$profile/examples/slots"

work=$(mktemp -d)
fast=
[ ! -d /dev/shm ] || fast=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$work" $fast' EXIT
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check portalocker==3.2.0

peer() { # FOLDER
  "$work/python/bin/python" - "$1" "$ROUNDS" <<'PYTHON'
import sys, time
import portalocker

folder, rounds = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
for _ in range(rounds):
    semaphore = portalocker.BoundedSemaphore(5, name="slots", directory=folder, timeout=1)
    assert semaphore.acquire() is not None
    semaphore.release()
print(f"{(time.monotonic() - began) * 1e6 / rounds:.1f}")
PYTHON
}

for folder in "$work" $fast; do
  mkdir -p "$folder/ours" "$folder/theirs"
  ours=$("$program" "$folder/ours" "$ROUNDS")
  theirs=$(peer "$folder/theirs")
  echo "$folder: microseconds for one slot taken and given back: exorun $ours, portalocker $theirs"
done
