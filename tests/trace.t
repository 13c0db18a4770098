#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What is made of records of episodes; see tests/trace-test.c.
set -euo pipefail
cd "$(dirname "$0")/.."
CMOCKA_MESSAGE_OUTPUT=TAP exec build/tests/trace-test
