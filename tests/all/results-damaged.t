#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Results that are damaged, ten thousand times; see tests/results-mutate.c.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec build/tests/results-mutate 10000
