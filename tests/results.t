#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Results that are kept and read back; see tests/results-test.c.
set -euo pipefail
cd "$(dirname "$0")/.."
CMOCKA_MESSAGE_OUTPUT=TAP exec build/tests/results-test
