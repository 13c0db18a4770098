#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What user space makes of the counts; see tests/collector-test.c.
set -euo pipefail
cd "$(dirname "$0")/.."
CMOCKA_MESSAGE_OUTPUT=TAP exec build/tests/collector-test
