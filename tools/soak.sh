#!/usr/bin/env bash
# The long tests of the runtime: random sequences with forks, scores, stops and pre-emptions in a tight
# budget, which must all end, draw what they draw alone and leave no block in use.
# Usage: tools/soak.sh [SEQUENCES]   (10000; needs ./test to have built build/)
set -euo pipefail
cd "$(dirname "$0")/.."
ERGO_SOAK_SEQUENCES=${1:-10000} build/runtime_test --gtest_filter='Scheduler.Soak'
