#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The kinds of the host's own page faults, on event streams; see tests/host-fault-test.c.
set -euo pipefail
cd "$(dirname "$0")/.."
CMOCKA_MESSAGE_OUTPUT=TAP exec build/tests/host-fault-test
