#!/usr/bin/env bash
# clang-tidy on the sources: all of them, or those that changed.
# Usage: tools/lint.sh [--changed [BASE]] [FILE…]
#   --changed  files that differ from BASE: by default from where the branch left origin's, or else
#              from the previous commit; at most 30 files and 8 minutes
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=7200
most=100000
files=()
if [[ ${1:-} == --changed ]]; then
  seconds=480
  most=30
  base=${2:-}
  if [[ ! $base ]]; then
    base=$(git merge-base HEAD '@{upstream}' 2>/dev/null || true)
    head=$(git rev-parse HEAD)
    if [[ ! $base || $base == "$head" ]]; then
      base=$(git rev-parse --verify -q HEAD~1 || git hash-object -t tree /dev/null)
    fi
  fi
  mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- 'src/*.cc' 'bench/*.cc')
elif (($#)); then
  files=("$@")
else
  mapfile -t files < <(git ls-files 'src/*.cc' 'bench/*.cc')
fi
if ((${#files[@]} == 0)); then
  echo "lint: no files"
  exit 0
fi
if ((${#files[@]} > most)); then
  echo "lint: the first $most of ${#files[@]} changed files; tools/nightly.sh checks all"
  files=("${files[@]:0:most}")
fi
# A folder of its own, in which each file is compiled by itself.
cmake -S . -B build-lint -G Ninja -DCMAKE_BUILD_TYPE=Release -DERGO_GROUP=OFF \
  -DERGO_PRECOMPILE=OFF >/dev/null || exit 1

# Flags that only g++ knows must not stop clang-tidy.
report=$(mktemp)
trap 'rm -f "$report"' EXIT
printf '%s\0' "${files[@]}" |
  timeout "$seconds" xargs -0 -n 1 -P "$(nproc)" clang-tidy-16 -p build-lint --quiet \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument \
    >"$report" 2>/dev/null
status=$?
if ((status == 124)); then
  echo "lint: out of time after $seconds s; what was reached:"
  status=0
fi
# A header's finding is reported by every file that includes it: show it once.
findings=$(grep -E '(warning|error): ' "$report" | sort -u)
if [[ $findings ]]; then
  echo "$findings"
  echo "lint: $(wc -l <<<"$findings") findings in ${#files[@]} files"
  exit 1
fi
((status == 0)) || { tail -n 20 "$report"; echo "lint: clang-tidy failed"; exit 1; }
echo "lint: ${#files[@]} files, no findings"
