#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What Prometheus is told of the counts; see tests/metrics-test.c.
set -euo pipefail
cd "$(dirname "$0")/.."
CMOCKA_MESSAGE_OUTPUT=TAP exec build/tests/metrics-test
