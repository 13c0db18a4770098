# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A browser for tests, to be sourced after tap.sh: Debian's Chromium without a
# window, asked by its debugging protocol, which it speaks on a pair of pipes.
# What a page may not see is opened as a page of the browser's own.

BROWSER_ID=0

# browser_call METHOD PARAMETERS: sets ANSWER. PARAMETERS, and the answer's result,
# are JSON. False if no answer comes.
browser_call() {
	BROWSER_ID=$((BROWSER_ID + 1))
	printf '{"id":%d,"method":"%s","params":%s%s}\0' "$BROWSER_ID" "$1" "$2" \
		"${BROWSER_SESSION:+,\"sessionId\":\"$BROWSER_SESSION\"}" >&"$BROWSER_IN"
	while IFS= read -r -d '' -t 120 ANSWER <&"$BROWSER_OUT"; do
		[[ $(jq .id <<<"$ANSWER") != "$BROWSER_ID" ]] || return 0
	done
	return 1
}

# browser_open URL: starts the browser with that page.
browser_open() {
	mkfifo "$SCRATCH/browser-in" "$SCRATCH/browser-out"
	chromium --headless --no-sandbox --disable-gpu --user-data-dir="$SCRATCH/browser" \
		--remote-debugging-pipe about:blank 3<"$SCRATCH/browser-in" \
		4>"$SCRATCH/browser-out" >/dev/null 2>&1 &
	BROWSER_PID=$!
	exec {BROWSER_IN}>"$SCRATCH/browser-in" {BROWSER_OUT}<"$SCRATCH/browser-out"
	BROWSER_SESSION=
	browser_call Target.createTarget "{\"url\":\"$1\"}"
	browser_call Target.attachToTarget \
		"{\"targetId\":$(jq .result.targetId <<<"$ANSWER"),\"flatten\":true}"
	BROWSER_SESSION=$(jq -r .result.sessionId <<<"$ANSWER")
}

# browser_evaluate SCRIPT: the value of what SCRIPT, a file, evaluates to, as
# JSON; what is thrown is printed instead.
browser_evaluate() {
	browser_call Runtime.evaluate "$(jq -Rs \
		'{expression: ., awaitPromise: true, returnByValue: true}' "$1")"
	jq '.result | .exceptionDetails.exception.description // .result.value' <<<"$ANSWER"
}

browser_close() {
	browser_call Browser.close '{}' || kill "$BROWSER_PID"
	exec {BROWSER_IN}>&- {BROWSER_OUT}<&-
	wait "$BROWSER_PID" || true
}
