#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What faultline top shows; see tests/top-test.c.
set -euo pipefail
cd "$(dirname "$0")/.."
CMOCKA_MESSAGE_OUTPUT=TAP exec build/tests/top-test
