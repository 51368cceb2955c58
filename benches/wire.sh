#!/usr/bin/env bash
# What do calls cost? The shipped program beside curl, Python's requests and wrk, in one run.
#
#   benches/wire.sh [--profile NAME] [--mailboxes N] [PART…]      all parts, or only those named
#
#   start      one job of one step, beside curl with the same requests: time of the whole process, memory
#   calls      1,000 calls, one after the other, beside requests on one connection: calls a second
#   listing    100,000 mailboxes with five properties and with all, as a file, beside requests: processor time, memory
#   cycles     10,000 sessions opened and closed in one process: memory along the way
#   emulator   the emulator alone under wrk, keep-alive over TLS: requests a second
#   size       of the binary
#
# The emulator is always another process. Time is the wall clock's, processor time and memory are the kernel's for the
# process (wait4: user and system time, maximum resident set). --profile takes another one than `dist`, --mailboxes
# another number for the listing, EXORUN names another binary (for all but the cycles). Needs cargo, Python 3 with venv and a package index, curl; for its part wrk.
#
# It fails if a result is wrong, and at its end if a figure is not what is asked for. Figures of a machine that has
# other work say little.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TENANT=contoso.onmicrosoft.com
readonly CLIENT_ID=11111111-2222-3333-4444-555555555555
readonly STARTS=31 CALLS_REPEATS=5 CYCLES=10000 WRK_SECONDS=10

# What is asked for.
readonly START_TIMES_CURL_MAX=1.5 START_MB_MAX=20 CALLS_TIMES_PEER_MIN=4
readonly LISTING_TIMES_LESS_MIN=5 LISTING_MB_MAX=40 EMULATOR_RATE_MIN=10000

readonly PARTS=(start calls listing cycles emulator size)
profile=dist
mailboxes=100000
parts=()
while [ $# -gt 0 ]; do
  case "$1" in
    --profile) profile=${2:?"benches/wire.sh: --profile needs a name"}; shift ;;
    --mailboxes) mailboxes=${2:?"benches/wire.sh: --mailboxes needs a number"}; shift ;;
    *)
      [[ " ${PARTS[*]} " == *" $1 "* ]] || { echo "benches/wire.sh: there is no part \`$1\`; there are: ${PARTS[*]}" >&2; exit 64; }
      parts+=("$1") ;;
  esac
  shift
done
[ ${#parts[@]} -gt 0 ] || parts=("${PARTS[@]}")

wrong() { # MESSAGE
  echo "benches/wire.sh: $1" >&2
  exit 1
}

if [ -z "${EXORUN:-}" ]; then
  cargo build --profile "$profile" --locked --quiet
  EXORUN="${CARGO_TARGET_DIR:-$PWD/target}/$profile/exorun"
fi
exorun=$EXORUN

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
peer() { # ARGUMENT…
  [ -d "$work/venv" ] || wrong "the peer is not installed"
  measure "$work/venv/bin/python" benches/wire/peer.py "$@"
}
install_peer() {
  [ ! -d "$work/venv" ] || return 0
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check requests
}

# measure COMMAND…: runs it with its standard output on ours; peak memory (KB), seconds, and seconds of processor time
# go to $work/measured.
measure() {
  MEASURED="$work/measured" python3 - "$@" <<'PYTHON'
import os, sys, time
began = time.monotonic()
child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
took = time.monotonic() - began
with open(os.environ["MEASURED"], "w") as file:
    file.write(f"{usage.ru_maxrss} {took:.4f} {usage.ru_utime + usage.ru_stime:.4f}\n")
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
}

start_emulator() { # MAILBOXES [OPTION…]
  stop_emulator
  out="$work/emulator-$RANDOM"
  "$exorun" emulate --mailboxes "$@" --out "$out" --log-level error &
  emulator=$!
  for _ in $(seq 200); do
    if [ -s "$out/settings.yaml" ]; then
      login=$(sed -n 's/^login_endpoint: "\(.*\)"$/\1/p' "$out/settings.yaml")
      exchange=$(sed -n 's/^exchange_endpoint: "\(.*\)"$/\1/p' "$out/settings.yaml")
      return
    fi
    kill -0 "$emulator" 2>/dev/null || break
    sleep 0.05
  done
  wrong "the emulator did not start"
}

run_job() { # JOB [OPTION…]
  local job=$1
  shift
  EXORUN_CLIENT_SECRET=$(cat "$out/client-secret") EXORUN_STATE_DIR="$out/state" EXORUN_OUTPUT_DIR="$out" \
    EXORUN_OPENS_PER_MINUTE=6000 EXORUN_BATCH_SIZE=1 measure \
    "$exorun" run "benches/wire/$job.yaml" --settings "$out/settings.yaml" --log-level warn "$@" >"$out/said" || wrong "exorun ended with $?: $(cat "$out/said")"
}

web() { # CURL ARGUMENT…
  curl --silent --show-error --fail --noproxy '*' --cacert "$out/ca.pem" "$@"
}

# Signs in and leaves the token in $out/token and the tenant's id in $tenant_id.
sign_in() {
  web --data grant_type=client_credentials --data "client_id=$CLIENT_ID" --data-urlencode "client_secret@$out/client-secret" \
    --data-urlencode scope=https://outlook.office365.com/.default "$login/$TENANT/oauth2/v2.0/token" >"$out/answer"
  python3 - "$out" <<'PYTHON'
import base64, json, sys
token = json.load(open(sys.argv[1] + "/answer"))["access_token"]
claims = token.split(".")[1]
open(sys.argv[1] + "/token", "w").write(token + "\n")
open(sys.argv[1] + "/tenant", "w").write(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["tid"])
PYTHON
  tenant_id=$(cat "$out/tenant")
}

missed=()
# asked WHAT VALUE OPERATOR BOUND: says it, and remembers if it does not hold.
asked() {
  if awk -v a="$2" -v b="$4" "BEGIN { exit !(a $3 b) }"; then
    printf '  %s: %s (asked: %s %s)\n' "$1" "$2" "$3" "$4"
  else
    printf '  %s: %s (asked: %s %s) MISSED\n' "$1" "$2" "$3" "$4"
    missed+=("$1")
  fi
}
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
quotient() { awk -v a="$1" -v b="$2" -v d="${3:-2}" 'BEGIN { printf "%.*f", d, a / (b > 0 ? b : 0.000001) }'; }
megabytes() { quotient "$1" 1024 1; }

# --- start ----------------------------------------------------------------------------------------------------------
curl_run() {
  # The token of an earlier sign-in: curl cannot take it over from the answer of its own.
  measure curl --silent --show-error --fail --compressed --noproxy '*' --cacert "$out/ca.pem" --output /dev/null \
    --data grant_type=client_credentials --data "client_id=$CLIENT_ID" --data-urlencode "client_secret@$out/client-secret" \
    --data-urlencode scope=https://outlook.office365.com/.default "$login/$TENANT/oauth2/v2.0/token" \
    --next --silent --show-error --fail --compressed --noproxy '*' --cacert "$out/ca.pem" --output /dev/null \
    --header "@$out/headers" --data '{"CmdletInput":{"CmdletName":"Get-OrganizationConfig","Parameters":{}}}' \
    "$exchange/adminapi/beta/$tenant_id/InvokeCommand?%24select=Identity" || wrong "curl ended with $?"
}

# What the emulator was asked since the request before: service, method, cmdlet, and a number for each transport.
asked_for() {
  web "$exchange/_emulator/requests" >"$out/requests"
  python3 - "$out/requests" "${1:-0}" <<'PYTHON'
import json, sys
requests = [r for r in json.load(open(sys.argv[1])) if r["number"] > int(sys.argv[2])]
transports = []
for r in requests:
    if (r["service"], r["connection"]) not in transports:
        transports.append((r["service"], r["connection"]))
    print(r["service"], r["protocol"], r["method"], r["what"], r["status"], transports.index((r["service"], r["connection"])))
PYTHON
}
number() { web "$exchange/_emulator/requests" | python3 -c 'import json, sys; print(json.load(sys.stdin)[-1]["number"])'; }

part_start() {
  # curl goes without a close_notify, which would count as a session that lives on.
  start_emulator 50 --sessions count
  sign_in
  cat >"$out/headers" <<HEADERS
Authorization: Bearer $(cat "$out/token")
X-AnchorMailbox: APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@$tenant_id
Content-Type: application/json
Prefer: odata.maxpagesize=1000
HEADERS
  before=$(number); run_job one-step; asked_for "$before" >"$out/by-exorun"
  before=$(number); curl_run; asked_for "$before" >"$out/by-curl"
  cmp -s "$out/by-exorun" "$out/by-curl" ||
    wrong "the two do not ask the same: $(diff "$out/by-exorun" "$out/by-curl")"
  most=0
  for _ in $(seq "$STARTS"); do
    run_job one-step
    read -r kilobytes seconds _ <"$work/measured"
    echo "$seconds" >>"$out/exorun-seconds"
    [ "$kilobytes" -le "$most" ] || most=$kilobytes
    curl_run
    read -r _ seconds _ <"$work/measured"
    echo "$seconds" >>"$out/curl-seconds"
  done
  own=$(median "$out/exorun-seconds") theirs=$(median "$out/curl-seconds")
  echo "start: $(wc -l <"$out/by-exorun") requests on $(awk '{ print $NF }' "$out/by-exorun" | sort -u | wc -l) transports, medians of $STARTS"
  echo "  exorun $own s, curl $theirs s"
  asked "times curl's time" "$(quotient "$own" "$theirs")" '<=' "$START_TIMES_CURL_MAX"
  asked "peak (MB)" "$(megabytes "$most")" '<' "$START_MB_MAX"
}

# --- calls ----------------------------------------------------------------------------------------------------------
part_calls() {
  install_peer
  start_emulator 1000
  for _ in $(seq "$CALLS_REPEATS"); do
    run_job calls --report "$out/report.json"
    python3 - "$out/report.json" >>"$out/exorun-rates" <<'PYTHON' || wrong "exorun's report is wrong"
import json, sys
step = {step["name"]: step for step in json.load(open(sys.argv[1]))["steps"]}["calls"]
if (step["calls"], step["requests"], step["items"]) != (1000, 1000, 1000):
    sys.exit(f"benches/wire.sh: {step}")
print(f"{1000 / step['seconds']:.0f}")
PYTHON
    peer calls "$out" "$TENANT" >"$out/seen"
    read -r seen seconds <"$out/seen"
    [ "$seen" = 1000 ] || wrong "the peer saw $seen"
    quotient 1000 "$seconds" 0 >>"$out/peer-rates"; echo >>"$out/peer-rates"
  done
  own=$(median "$out/exorun-rates") theirs=$(median "$out/peer-rates")
  echo "calls: 1,000 one after the other, calls a second, medians of $CALLS_REPEATS"
  echo "  exorun $own, requests $theirs"
  asked "times the peer's rate" "$(quotient "$own" "$theirs")" '>=' "$CALLS_TIMES_PEER_MIN"
}

# --- listing --------------------------------------------------------------------------------------------------------
part_listing() {
  install_peer
  for kind in five full; do
    start_emulator "$mailboxes"
    run_job "list-$kind"
    read -r kilobytes own_seconds own <"$work/measured"
    peer "$kind" "$out" "$TENANT" "$out/by-peer.ndjson"
    read -r peer_kilobytes seconds theirs <"$work/measured"
    [ "$(wc -l <"$out/mailboxes.ndjson")" -eq "$mailboxes" ] || wrong "exorun did not list $mailboxes"
    cmp "$out/mailboxes.ndjson" "$out/by-peer.ndjson" || wrong "the two files differ"
    echo "listing: $mailboxes mailboxes, $kind, $(($(stat -c %s "$out/mailboxes.ndjson") / 1048576)) MB of NDJSON"
    echo "  exorun: $own s of processor time, $own_seconds s; requests: $theirs s, $seconds s, $(megabytes "$peer_kilobytes") MB"
    asked "times less processor time ($kind)" "$(quotient "$theirs" "$own")" '>=' "$LISTING_TIMES_LESS_MIN"
    asked "peak (MB, $kind)" "$(megabytes "$kilobytes")" '<' "$LISTING_MB_MAX"
    rm -rf "$out"
  done
}

# --- cycles ---------------------------------------------------------------------------------------------------------
part_cycles() {
  start_emulator 50
  echo "cycles: $CYCLES sessions in one process, its resident set"
  printf '%9s %12s\n' sessions 'memory (MB)'
  cargo run --profile "$profile" --locked --quiet --example cycles -- "$out" "$CYCLES" || missed+=("memory of cycles")
  # Nothing was left open, and nothing was refused.
  web "$exchange/_emulator/state" | python3 -c '
import json, sys
found = json.load(sys.stdin)["sessions"]
if (found["opened"], found["closed"], found["unclean"], found["refused"]) != (int(sys.argv[1]),) * 2 + (0, 0):
    sys.exit(f"benches/wire.sh: the emulator counted {found}")' "$CYCLES"
}

# --- emulator -------------------------------------------------------------------------------------------------------
part_emulator() {
  command -v wrk >/dev/null || wrong "wrk is not installed (a package of Debian)"
  start_emulator 1000
  sign_in
  api="$exchange/adminapi/beta/$tenant_id"
  web --header "Authorization: Bearer $(cat "$out/token")" --header 'Content-Type: application/json' \
    --data '{"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":{"ResultSize":1000}}}' \
    "$api/InvokeCommand?%24select=ExternalDirectoryObjectId" |
    python3 -c 'import json, sys; print(*(i["ExternalDirectoryObjectId"] for i in json.load(sys.stdin)["value"]), sep="\n")' >"$out/identities"
  ticks() { awk '{ print $14 + $15 }' "/proc/$emulator/stat"; }
  before=$(ticks)
  SSL_CERT_FILE="$out/ca.pem" wrk --threads 1 --connections 16 --duration "${WRK_SECONDS}s" --script benches/wire/calls.lua \
    "$api" -- "$out/token" "$out/identities" >"$out/wrk"
  read -r requests failed micros < <(tail -n 1 "$out/wrk")
  [ "$failed" = 0 ] || wrong "$failed of $requests requests failed: $(cat "$out/wrk")"
  used=$(($(ticks) - before))
  echo "emulator: Get-CASMailbox by id with three properties, 16 connections, $WRK_SECONDS s, $(nproc) processors with wrk"
  echo "  $(quotient "$((used * 10000))" "$requests" 0) microseconds of processor time a request"
  asked "requests a second" "$(quotient "$((requests * 1000000))" "$micros" 0)" '>=' "$EMULATOR_RATE_MIN"
}

# --- size -----------------------------------------------------------------------------------------------------------
part_size() {
  echo "size: $(stat -c %s "$exorun") bytes, profile $profile"
}

echo "load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
for part in "${parts[@]}"; do
  "part_$part"
done
[ ${#missed[@]} -eq 0 ] || wrong "not what is asked for: $(printf '%s; ' "${missed[@]}")"
