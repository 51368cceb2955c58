#!/usr/bin/env bash
# How fast are many files checked, and with how much memory? `exorun check` over a folder of 5,000 jobs.
#
#   benches/check.sh [--files N] [--no-peer]
#
# The folder holds the shipped jobs over and over, each with a name of its own, in subfolders of 100. Beside it, in the
# same run and alternating, `yamllint` from PyPI reads the same folder (--no-peer leaves it out). It looks at YAML and
# its style only, so its rules are those that these files keep. Three times each.
#
# Time is the wall clock's, memory the kernel's maximum resident set of the process (wait4's ru_maxrss). EXORUN names
# another binary than the release one. The script fails if a result is wrong: an exit code, or the number of files.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly REPEATS=3
readonly FILES_MAX=10000 # what one call of exorun takes

count=5000
peer=yes
while [ $# -gt 0 ]; do
  case "$1" in
    --files) count=${2:?"benches/check.sh: --files needs a number"}; shift ;;
    --no-peer) peer= ;;
    *) echo "benches/check.sh: there is no option \`$1\`" >&2; exit 64 ;;
  esac
  shift
done
if ! [[ $count =~ ^[1-9][0-9]{0,4}$ ]] || [ "$count" -gt "$FILES_MAX" ]; then
  echo "benches/check.sh: --files is a number from 1 to $FILES_MAX" >&2
  exit 64
fi

if [ -z "${EXORUN:-}" ]; then
  cargo build --release --locked --quiet
  EXORUN="${CARGO_TARGET_DIR:-$PWD/target}/release/exorun"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The peer's interpreter, in a folder of its own: the machine's Python is left alone.
if [ -n "$peer" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check yamllint
fi

python3 - "$work/jobs" "$count" jobs/*.yaml <<'PYTHON'
import os, re, sys
folder, count, shipped = sys.argv[1], int(sys.argv[2]), [open(path).read() for path in sys.argv[3:]]
for number in range(count):
    below = os.path.join(folder, f"{number // 100:03}")
    os.makedirs(below, exist_ok=True)
    text, named = re.subn(r"(?m)^name: .*$", f"name: job-{number}", shipped[number % len(shipped)], count=1)
    if named != 1:
        sys.exit("benches/check.sh: a shipped job has no name")
    with open(os.path.join(below, f"{number:05}.yaml"), "w") as file:
        file.write(text)
PYTHON
bytes=$(cat "$work"/jobs/*/*.yaml | wc -c)

# measure COMMAND…: runs it with its standard output on ours; peak memory (KB) and seconds go to $work/measured.
measure() {
  MEASURED="$work/measured" python3 - "$@" <<'PYTHON'
import os, sys, time
began = time.monotonic()
child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
with open(os.environ["MEASURED"], "w") as file:
    file.write(f"{usage.ru_maxrss} {time.monotonic() - began:.3f}\n")
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
}

wrong() { # MESSAGE
  echo "benches/check.sh: $1" >&2
  exit 1
}

exorun_run() {
  measure "$EXORUN" check "$work/jobs" >"$work/said" || wrong "exorun ended with $?"
  tail -n 1 "$work/said" >"$work/last"
  expected="checked $count files: $count jobs, 0 errors, 0 warnings"
  [ "$count" -ne 1 ] || expected="checked 1 file: 1 job, 0 errors, 0 warnings"
  grep -qxF "$expected" "$work/last" || wrong "exorun said: $(cat "$work/last")"
}

# Style is not compared: only what every one of these files keeps, so that reading and not reporting is measured.
readonly RULES='{extends: default, rules: {line-length: disable, document-start: disable, comments: disable, comments-indentation: disable}}'

yamllint_run() {
  measure "$work/venv/bin/yamllint" --strict -d "$RULES" "$work/jobs" >"$work/said" || wrong "yamllint ended with $?: $(head -n 3 "$work/said")"
  [ ! -s "$work/said" ] || wrong "yamllint said: $(head -n 3 "$work/said")"
}

# yamllint does not say how many files it read. A mistake in the last one must be seen, by both.
both_see_the_last_file() {
  last=$(find "$work/jobs" -name '*.yaml' | sort | tail -n 1)
  cp "$last" "$work/kept"
  printf 'name: again\n' >>"$last"
  code=0; "$EXORUN" check "$work/jobs" >/dev/null 2>"$work/said" || code=$?
  [ "$code" = 64 ] && grep -qF "$(basename "$last")" "$work/said" || wrong "exorun does not see a mistake in the last file ($code)"
  if [ -n "$peer" ]; then
    code=0; "$work/venv/bin/yamllint" --strict -d "$RULES" "$work/jobs" >"$work/said" || code=$?
    [ "$code" = 1 ] && grep -qF "$(basename "$last")" "$work/said" || wrong "yamllint does not see a mistake in the last file ($code)"
  fi
  cp "$work/kept" "$last"
}

row() { # PROGRAM REPEAT
  read -r kilobytes seconds <"$work/measured"
  awk -v p="$1" -v r="$2" -v n="$count" -v kb="$kilobytes" -v s="$seconds" \
    'BEGIN { printf "%-8s %6d %9.2f %9.0f %12.1f\n", p, r, s, n / (s > 0 ? s : 0.001), kb / 1024 }'
}

both_see_the_last_file
echo "$count files, $((bytes / 1024)) KB"
printf '%-8s %6s %9s %9s %12s\n' program repeat 'time (s)' files/s 'peak (MB)'
for repeat in $(seq "$REPEATS"); do
  exorun_run
  row exorun "$repeat"
  if [ -n "$peer" ]; then
    yamllint_run
    row yamllint "$repeat"
  fi
done
