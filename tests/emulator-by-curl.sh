#!/usr/bin/env bash
# The emulator, tried with curl, jq and openssl alone: nothing of this program's client takes part.
#
# LOGIN_ENDPOINT, EXCHANGE_ENDPOINT  https://127.0.0.1:PORT of the two services
# COMPLIANCE_ENDPOINT, REGION_ENDPOINT  the same of Security & Compliance's global and regional host
# CA_FILE                            the emulator's certificate authority (PEM)
# CLIENT_SECRET                      path of a file that holds the secret
# TENANT                             the tenant's domain or GUID
#
# It needs a fresh emulator with the default 50 mailboxes, and nobody else on it: it compares counters.
set -euo pipefail

: "${LOGIN_ENDPOINT:?}" "${EXCHANGE_ENDPOINT:?}" "${COMPLIANCE_ENDPOINT:?}" "${REGION_ENDPOINT:?}" "${CA_FILE:?}" "${CLIENT_SECRET:?}" "${TENANT:?}"
readonly CLIENT_ID="${CLIENT_ID:-11111111-2222-3333-4444-555555555555}"
readonly ANCHOR="APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@${TENANT}"
readonly API="${EXCHANGE_ENDPOINT}/adminapi/beta/${TENANT}/InvokeCommand"
readonly CONTROL="${EXCHANGE_ENDPOINT}/_emulator"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

say() { printf 'ok    %s\n' "$1"; }
fail() { printf 'FAIL  %s\n' "$1" >&2; exit 1; }
# same WHAT EXPECTED ACTUAL
same() { [[ "$2" == "$3" ]] && say "$1" || fail "$1: expected \`$2\`, found \`$3\`"; }
# An environment's proxy is no way to loopback. HTTP/1.1, because curl closes the socket of an HTTP/2 connection at its
# exit without GOAWAY and close_notify (seen with 7.88), which rightly counts as unclean.
get() { curl --silent --show-error --http1.1 --noproxy '*' --max-time 60 --cacert "$CA_FILE" "$@"; }

# --- sign-in ------------------------------------------------------------------------------------------------------
issuer="$(get "${LOGIN_ENDPOINT}/${TENANT}/v2.0/.well-known/openid-configuration" | jq -r .issuer)"
tenant_id="$(sed -E 's|.*/([0-9a-f-]{36})/v2.0$|\1|' <<<"$issuer")"
[[ "$tenant_id" =~ ^[0-9a-f-]{36}$ ]] && say "discovery names the tenant ${tenant_id}" || fail "issuer is ${issuer}"

# The secret goes by a file, so that no process list shows it.
token() {
    get --write-out '\n%{http_code}' \
        --data grant_type=client_credentials --data "client_id=${CLIENT_ID}" \
        --data-urlencode "client_secret@$1" --data-urlencode 'scope=https://outlook.office365.com/.default' \
        "${LOGIN_ENDPOINT}/${TENANT}/oauth2/v2.0/token"
}
printf 'wrong' >"$work/wrong"
answer="$(token "$work/wrong")"
same "a wrong secret is refused with 401 invalid_client 7000215" "401 invalid_client 7000215" \
    "${answer##*$'\n'} $(head -n 1 <<<"$answer" | jq -r '"\(.error) \(.error_codes[0])"')"

printf '%s' "$(cat "$CLIENT_SECRET")" >"$work/secret"
answer="$(token "$work/secret")"
same "the right secret gets a token" "200" "${answer##*$'\n'}"
head -n 1 <<<"$answer" | jq -r '"Authorization: Bearer " + .access_token' >"$work/authorization"
claims="$(cut -d. -f2 "$work/authorization" | tr '_-' '/+')"
while (( ${#claims} % 4 )); do claims+='='; done
same "it is for Exchange, and for nobody who might take it for real" \
    "https://outlook.office365.com Exchange.ManageAsApp https://sts.exorun-emulator.invalid/${tenant_id}/" \
    "$(base64 -d <<<"$claims" | jq -r '"\(.aud) \(.roles[0]) \(.iss)"')"

# --- cmdlets ------------------------------------------------------------------------------------------------------
# call CONNECTION_ID BODY [URL] [curl options..]: one process, so one transport, that ends cleanly.
call() {
    local connection="$1" body="$2" url="${3:-$API}"
    shift $(( $# < 3 ? $# : 3 ))
    get --compressed --header @"$work/authorization" --header 'Content-Type: application/json' \
        --header "X-AnchorMailbox: ${ANCHOR}" --header "connection-id: ${connection}" \
        --cookie "$work/cookies" --cookie-jar "$work/cookies" --data "$body" "$@" "$url"
}
touch "$work/cookies"
body() { jq -cn --arg cmdlet "$1" --argjson parameters "$2" '{CmdletInput: {CmdletName: $cmdlet, Parameters: $parameters}}'; }
counter() { get "${CONTROL}/state" | jq -r "$1"; }

# live N: waits until so many sessions are live; the emulator hears of a goodbye a moment after curl has gone.
live() {
    for _ in $(seq 50); do
        [[ "$(counter .sessions.live)" == "$1" ]] && return
        sleep 0.05
    done
}

list="$(body Get-Mailbox '{"RecipientTypeDetails": "SharedMailbox", "ResultSize": "Unlimited"}')"
call page-1 "$list" "$API" --header 'Prefer: odata.maxpagesize=10' >"$work/page1"
same "the first page has ten shared mailboxes" "10 SharedMailbox" \
    "$(jq -r '"\(.value | length) \([.value[].RecipientTypeDetails] | unique | join(","))"' "$work/page1")"
link="$(jq -r '."@odata.nextLink"' "$work/page1")"
[[ "$link" == https://* ]] && say "and a link to the next" || fail "the first page has no link: ${link}"
call page-2 "$list" "$link" --header 'Prefer: odata.maxpagesize=10' >"$work/page2"
[[ "$(jq '.value | length' "$work/page2")" -gt 0 ]] && say "POST to the link gets the second page" || fail "the second page is empty"
same "no mailbox is on both pages" "0" \
    "$(jq -s '[.[].value[].Guid] | length - (unique | length)' "$work/page1" "$work/page2")"
same "a link with another body is refused" "400" \
    "$(call page-3 "$(body Get-Mailbox '{}')" "$link" --output "$work/refused" --write-out '%{http_code}')"
grep -q 'Expired or Invalid pagination request' "$work/refused" && say "as expired or invalid" || fail "$(cat "$work/refused")"

id="$(jq -r '.value[0].ExternalDirectoryObjectId' "$work/page1")"
identity="$(jq -cn --arg id "$id" '{Identity: $id}')"
before="$(call read-1 "$(body Get-CASMailbox "$identity")" | jq '.value[0].PopEnabled')"
after="$([[ "$before" == true ]] && echo false || echo true)"
set="$(body Set-CASMailbox "$(jq -c --argjson pop "$after" '. + {PopEnabled: $pop, Confirm: false}' <<<"$identity")")"
same "Set-CASMailbox changes one mailbox" '[] []' "$(call write-1 "$set" | jq -c '.value, ."@adminapi.warnings"' | paste -sd' ')"
same "Get-CASMailbox shows the change" "$after" "$(call read-2 "$(body Get-CASMailbox "$identity")" | jq '.value[0].PopEnabled')"
call write-2 "$set" | jq -e '."@adminapi.warnings"[0] | test("no settings of")' >"$work/out" \
    && say "the same again changes nothing and says so" || fail "no warning"
same "an unknown mailbox is 404" "404" \
    "$(call read-3 "$(body Get-Mailbox '{"Identity": "nobody@contoso.example"}')" "$API" --output "$work/out" --write-out '%{http_code}')"

live 0
same "each of those calls was a session, all are closed" "8 8 0 0 0" \
    "$(counter '.sessions | "\(.opened) \(.closed) \(.live) \(.unclean) \(.refused)"')"

# --- five sessions ------------------------------------------------------------------------------------------------
get --data '{"replace": ["slow:ms=3000:cmdlet=Get-TransportConfig"]}' "${CONTROL}/faults" >"$work/out"
slow="$(body Get-TransportConfig '{}')"
processes=()
for n in 1 2 3 4 5; do
    call "held-$n" "$slow" >"$work/held$n" &
    processes+=("$!")
done
live 5
same "five sessions are live" "5" "$(counter .sessions.live)"
same "the sixth is refused with 429" "429" \
    "$(call sixth "$slow" "$API" --output "$work/sixth" --dump-header "$work/headers" --write-out '%{http_code}')"
grep -q 'exceeded the maximum number of connections allowed : 5' "$work/sixth" \
    && say "with the old service's sentence" || fail "$(cat "$work/sixth")"
grep -qi '^content-type: text/plain' "$work/headers" && say "in plain text" || fail "$(cat "$work/headers")"
! grep -qi '^retry-after' "$work/headers" && say "without Retry-After" || fail "there is a Retry-After"
for process in "${processes[@]}"; do wait "$process" || fail "a held call failed"; done
same "the five are answered" "5" "$(jq -s '[.[].value | length] | add' "$work"/held[1-5])"
live 0
same "opened = closed, live 0, unclean 0, refused 1, peak 5" "13 13 0 0 1 5" \
    "$(counter '.sessions | "\(.opened) \(.closed) \(.live) \(.unclean) \(.refused) \(.peak)"')"

# --- a batch ------------------------------------------------------------------------------------------------------
member() {
    jq -cn --arg id "$1" --arg url "$API" --arg anchor "$ANCHOR" --argjson body "$2" \
        '{id: $id, method: "POST", url: $url, headers: {"X-AnchorMailbox": $anchor, "Content-Type": "application/json"}, body: $body}'
}
{
    member good "$(body Get-TransportConfig '{}')"
    member gone "$(body Get-Mailbox '{"Identity": "nobody@contoso.example"}')"
} | jq -cs '{requests: .}' >"$work/batch"
call batch "$(cat "$work/batch")" "${API%InvokeCommand}\$batch" --header 'Prefer: odata.continue-on-error' >"$work/answers"
same "a batch answers 200 with a status for each member" "gone:404 good:200" \
    "$(jq -r '[.responses[] | "\(.id):\(.status)"] | sort_by(. != "gone:404") | join(" ")' "$work/answers")"
same "ten is the most" "400" \
    "$(call batch "$(jq -c '{requests: [range(11) as $n | .requests[0] + {id: "\($n)"}]}' "$work/batch")" \
        "${API%InvokeCommand}\$batch" --output "$work/out" --write-out '%{http_code}')"

# --- a secret parameter -------------------------------------------------------------------------------------------
get --header @"$work/authorization" "${EXCHANGE_ENDPOINT}/adminapi/v1.0/${TENANT}/EXOModuleFile?Version=3.9.2" >"$work/module"
modulus="$(jq -r '.value[0].moduleFile' "$work/module" | sed -nE "s|.*<Modulus>(.*)</Modulus>.*|\1|p" | base64 -d | od -An -v -tx1 | tr -d ' \n')"
cat >"$work/key.conf" <<KEY
asn1=SEQUENCE:info
[info]
algorithm=SEQUENCE:algorithm
key=BITWRAP,SEQUENCE:key
[algorithm]
algorithm=OID:rsaEncryption
parameter=NULL
[key]
modulus=INTEGER:0x${modulus}
exponent=INTEGER:65537
KEY
openssl asn1parse -genconf "$work/key.conf" -noout -out "$work/key.der"
sealed="$(printf 'Kennwort-1' | openssl pkeyutl -encrypt -pubin -keyform DER -inkey "$work/key.der" | base64 | tr -d '\n')"
# password VALUE: what the service says of it as a password.
password() {
    call secret "$(body Set-Mailbox "$(jq -c --arg password "$1" '. + {Password: $password}' <<<"$identity")")" \
        | grep -c 'cannot be decrypted' || true
}
same "a password is read only as openssl encrypts it for the module's key" "0 1" "$(password "$sealed") $(password 'Kennwort-1')"

# --- Security & Compliance, by its real names -----------------------------------------------------------------------
get --data grant_type=client_credentials --data "client_id=${CLIENT_ID}" --data-urlencode "client_secret@$work/secret" \
    --data-urlencode 'scope=https://ps.compliance.protection.outlook.com/.default' \
    "${LOGIN_ENDPOINT}/${TENANT}/oauth2/v2.0/token" | jq -r '"Authorization: Bearer " + .access_token' >"$work/compliance"
# at HOST ENDPOINT PATH [curl options..]: the port of ENDPOINT under the name HOST.
at() {
    local host="$1" port="${2##*:}" path="$3"
    shift 3
    get --connect-to "${host}:443:127.0.0.1:${port}" --header @"$work/compliance" "$@" "https://${host}${path}"
}
same "the global host names the region" "302 https://nam12b.admin.protection.outlook.com:446/adminapi/v1.0/${TENANT}/EXOModuleFile" \
    "$(at ps.compliance.protection.outlook.com "$COMPLIANCE_ENDPOINT" "/adminapi/v1.0/${TENANT}/EXOModuleFile" \
        --output "$work/out" --write-out '%{http_code} %{redirect_url}')"
users="$(at nam12b.ps.compliance.protection.outlook.com "$REGION_ENDPOINT" "/adminapi/beta/${TENANT}/InvokeCommand" \
    --header 'Content-Type: application/json' --header "X-AnchorMailbox: ${ANCHOR}" \
    --data "$(body Get-User '{"ResultSize": 3}')")"
same "the region serves" "3" "$(jq '.value | length' <<<"$users")"

# --- the record ---------------------------------------------------------------------------------------------------
get "${CONTROL}/requests" >"$work/requests"
same "every request was recorded" "$(counter .requests)" "$(jq length "$work/requests")"
# The canaries go by files too: no process list shows them.
cut -d' ' -f3 "$work/authorization" >"$work/canaries"
printf '%s\n' "$(cat "$CLIENT_SECRET")" >>"$work/canaries"
! grep -qF -f "$work/canaries" "$work/requests" && say "and neither token nor secret is in the record" || fail "a secret is in the record"
get --data '{"clear": true}' "${CONTROL}/faults" >"$work/out"
printf 'all checks passed\n'
