#!/usr/bin/env bash
# Walks EV_Registry's life of a charge point with curl: register, refuse a stranger, authenticate,
# list, register again, deregister. Says what it sees; exit code 0 when all of it is right.
#   scripts/test_registry.sh [URL]      default http://127.0.0.1:8080
# REGISTRY_ADMIN_API_KEY: the operator's key, where the registry has one.
set -euo pipefail

url=${1:-http://127.0.0.1:8080}
id=TEST-$RANDOM$RANDOM
key=()
[ -z "${REGISTRY_ADMIN_API_KEY:-}" ] || key=(-H "X-Registry-API-Key: $REGISTRY_ADMIN_API_KEY")
body=$(mktemp)
trap 'rm -f "$body"' EXIT

# step NAME EXPECTED_STATUS CURL_ARGUMENTS...
step() {
  local name=$1 expected=$2 status
  shift 2
  status=$(curl -s -o "$body" -w '%{http_code}' "$@") || status="no answer"
  if [ "$status" != "$expected" ]; then
    echo "FAILED  $name: $status instead of $expected"
    cat "$body"
    exit 1
  fi
  echo "ok      $name ($status)"
}

# field NAME: a text of the last answer
field() {
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$body"
}

registration="{\"cp_id\": \"$id\", \"location\": \"Berlin\", \"metadata\": {\"power_rating\": \"22kW\"}}"
step "health" 200 "$url/"
step "register" 200 -X POST "$url/cp/register" ${key[@]+"${key[@]}"} -d "$registration"
credentials=$(field credentials)
[ -n "$credentials" ] || { echo "FAILED  no credentials were shown"; exit 1; }
step "register again without proof" 401 -X POST "$url/cp/register" -d "$registration"
step "authenticate" 200 -X POST "$url/cp/authenticate" \
  -d "{\"cp_id\": \"$id\", \"credentials\": \"$credentials\"}"
token=$(field token)
[ -n "$token" ] || { echo "FAILED  no token was issued"; exit 1; }
step "authenticate with wrong credentials" 401 -X POST "$url/cp/authenticate" \
  -d "{\"cp_id\": \"$id\", \"credentials\": \"wrong\"}"
step "list" 200 "$url/cp?limit=10" ${key[@]+"${key[@]}"}
step "show" 200 "$url/cp/$id" -H "Authorization: Bearer $token"
step "register again with the credentials" 200 -X POST "$url/cp/register" \
  -H "X-Existing-Credentials: $credentials" -d "$registration"
credentials=$(field credentials)
step "deregister with a token" 401 -X DELETE "$url/cp/$id" -H "Authorization: Bearer $token"
step "deregister" 200 -X DELETE "$url/cp/$id" -H "X-Existing-Credentials: $credentials"
step "authenticate when deregistered" 403 -X POST "$url/cp/authenticate" \
  -d "{\"cp_id\": \"$id\", \"credentials\": \"$credentials\"}"
echo "all is well at $url"
