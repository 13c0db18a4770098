#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each shell file is clean for shellcheck.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/tap.sh

mapfile -t files < <({
	grep -rIlE --exclude-dir=.git --exclude-dir=build '^#!.*\b(ba|da|)sh$' .
	find . -name '*.sh' ! -path './build/*'
} | sort -u)
for file in "${files[@]}"; do
	try shellcheck -x -P . "$file"
	is "$OUT$ERR" "" "$file"
done

done_testing
