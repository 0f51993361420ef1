#!/usr/bin/env bash
# What is too slow for every change: the second compiler, thread sanitizer, lint of everything.
set -uo pipefail
cd "$(dirname "$0")/.."

tools/bootstrap.sh nightly || exit 1
if path=$(tools/fetch_model.sh smollm2); then export ERGO_TEST_MODEL_SMOLLM2=$path; fi
if path=$(tools/fetch_model.sh --cached qwen05); then export ERGO_TEST_MODEL_QWEN05=$path; fi
if path=$(tools/fetch_model.sh --cached gemma270); then export ERGO_TEST_MODEL_GEMMA270=$path; fi

failed=()
build_and_test() {  # NAME CMAKE-OPTION…
  local name=$1
  shift
  local folder=build-$name
  mkdir -p "$folder"
  echo "== $name (log: $folder/nightly.log)"
  if cmake -S . -B "$folder" -G Ninja "$@" >"$folder/nightly.log" 2>&1 &&
    ninja -C "$folder" >>"$folder/nightly.log" 2>&1; then
    ctest --test-dir "$folder" --output-on-failure -j "$(nproc)" || failed+=("$name tests")
  else
    grep -E -A 8 'FAILED|error' "$folder/nightly.log" | head -n 60
    failed+=("$name build")
  fi
}

build_and_test clang -DCMAKE_CXX_COMPILER=clang++-16
build_and_test thread -DERGO_SANITIZE=thread -DERGO_BENCH=OFF
echo "== lint"
tools/lint.sh || failed+=(lint)

if ((${#failed[@]})); then
  printf 'nightly: FAILED: %s\n' "${failed[*]}"
  exit 1
fi
echo "nightly: everything passed in $SECONDS s"
