#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The episode state machine on arbitrary event streams: those of the corpus, and
# some that are made of them. A long run is `make fuzz`.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

FUZZ=$TOP/build/tests/episode-fuzz
CORPUS=$TOP/tests/episode-fuzz-corpus

# Without the library, there is no fuzzer; with it, that it doesn't compile is no excuse.
cat >"$SCRATCH/none.c" <<'END'
int LLVMFuzzerTestOneInput(const char *data, unsigned long size);
int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return 0 * (data[0] + size); }
END
if ! "${CLANG:-clang}" -fsanitize=fuzzer "$SCRATCH/none.c" -o "$SCRATCH/none" 2>/dev/null; then
	skip 3 "clang has no libFuzzer here; install libclang-rt-dev"
	done_testing
	exit
fi

try "$FUZZ" -runs=0 "$CORPUS"
is "$STATUS" 0 "the corpus: no finding"
((STATUS == 0)) || diag "$(tail -n 30 <<<"$ERR")"

mkdir "$SCRATCH/new"
try "$FUZZ" -seed=1 -runs=20000 -max_len=600 -artifact_prefix="$SCRATCH/" "$SCRATCH/new" "$CORPUS"
is "$STATUS" 0 "20,000 event streams: no finding"
((STATUS == 0)) || diag "$(tail -n 30 <<<"$ERR")"

# The fuzzer must be able to find something: a machine that forgets to count.
sed 's/v->counts.classes\[class\]++;/if (class != FL_REFAULT) &/' "$TOP/bpf/episode.h" >"$SCRATCH/episode.h"
cp "$TOP/bpf/duration.h" "$TOP/bpf/exit_reason.h" "$TOP/bpf/host_fault.h" "$SCRATCH"
"${CLANG:-clang}" -D_GNU_SOURCE -fsanitize=fuzzer -I"$SCRATCH" "$TOP/tests/episode-fuzz.c" -o "$SCRATCH/broken"
try "$SCRATCH/broken" -runs=0 -artifact_prefix="$SCRATCH/" "$CORPUS"
like "$STATUS $ERR" "^[1-9].*violated: " "a machine that doesn't count its refaults is found out"
done_testing
