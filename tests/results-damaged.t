#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Results that are damaged, a thousand times; see tests/results-mutate.c, and
# tests/all/results-damaged.t, where it is ten thousand.
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/tests/results-mutate 1000
