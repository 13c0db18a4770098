#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The episode state machine on event streams; see tests/episode-test.c.
set -euo pipefail
cd "$(dirname "$0")/.."
CMOCKA_MESSAGE_OUTPUT=TAP exec build/tests/episode-test
