#!/usr/bin/env bash
# A client of a lienthong node with nothing but curl and jq.
#
#   lienthong.sh send HEADER.json FILE…   hand a document over, wait until it is sent
#   lienthong.sh receive FOLDER           take everything that waits, report 03 and 06
#
# LIENTHONG_API is the address of the node, LIENTHONG_TOKEN a token with the
# scopes submit, receive and read.
set -euo pipefail

# call METHOD PATH [curl's arguments]: prints the answer, explains a refusal.
call() {
	local method=$1 path=$2 answer status
	shift 2
	answer=$(curl --silent --show-error --request "$method" \
		--header "Authorization: Bearer $LIENTHONG_TOKEN" --write-out '\n%{http_code}' "$@" "$LIENTHONG_API$path")
	status=${answer##*$'\n'}
	answer=${answer%$'\n'*}
	if [ "$status" -ge 400 ]; then
		jq -r '"\(.code): \(.message.vi) \(.remedy.vi)\n  \(.detail)"' <<<"$answer" >&2
		return 1
	fi
	printf '%s' "$answer"
}

send() {
	local header=$1 form=() key id state
	shift
	form=(--form "header=@$header;type=application/json")
	for file in "$@"; do form+=(--form "file=@\"$file\""); done
	# The same key for the same document: after a lost answer run it again.
	key=$(cat "$header" "$@" | sha256sum | cut -c1-64)
	id=$(call POST /v1/outbox --header "Idempotency-Key: $key" "${form[@]}" | jq -r .transfer.id)
	echo "accepted $id"
	while state=$(call GET "/v1/outbox/$id" | jq -r .state); [ "$state" != sent ]; do
		if [ "$state" = failed ]; then
			call GET "/v1/outbox/$id/why" | jq -r .vi >&2
			return 1
		fi
		sleep 1
	done
	echo "sent $id"
}

receive() {
	local folder=$1 taken id lease n name
	while taken=$(call POST /v1/inbox/lease --data '{"seconds":300}') && [ -n "$taken" ]; do
		id=$(jq -r .transfer.id <<<"$taken")
		lease=$(jq -r .lease <<<"$taken")
		mkdir -p "$folder/$id"
		n=0
		while read -r name; do
			# The name is what the sender wrote: never a path.
			curl --silent --show-error --fail --header "Authorization: Bearer $LIENTHONG_TOKEN" \
				--output "$folder/$id/$((n + 1))-$(basename -- "${name//\\//}")" "$LIENTHONG_API/v1/inbox/$id/files/$n"
			n=$((n + 1))
		done < <(jq -r '.transfer.parts[]?.name' <<<"$taken")
		call POST "/v1/inbox/$id/done" --data "$(jq -n --arg lease "$lease" '{lease: $lease}')" >/dev/null
		for code in 03 06; do
			call POST "/v1/inbox/$id/status" --data "$(jq -n --arg code "$code" '{code: $code, staffInfo: {staff: "Văn thư"}}')" >/dev/null
		done
		echo "received $id: $(jq -r .transfer.subject <<<"$taken")"
	done
}

case ${1-} in
send | receive) "$@" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
