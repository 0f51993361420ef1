#!/usr/bin/env bash
# Runs the fuzzers in tests/fuzz, each for a given time.
# Usage: tools/fuzz.sh [SECONDS] [NAME]    (60 seconds, every fuzzer)
# Inputs that reach new code are kept in ${XDG_CACHE_HOME:-$HOME/.cache}/ergo/fuzz/NAME, so that the
# next run goes on from them; seeds are read from tests/fuzz/corpus/NAME. What makes a fuzzer fail is
# left in the folder `failures` beside them.
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
only=${2:-}
if [[ ! $seconds =~ ^[0-9]+$ ]]; then
  echo "usage: tools/fuzz.sh [SECONDS] [NAME]" >&2
  exit 2
fi
tools/bootstrap.sh nightly || exit 1
mkdir -p build-fuzz
log=build-fuzz/build.log
cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-16 -DCMAKE_BUILD_TYPE=Release \
  -DERGO_FUZZ=ON -DERGO_TESTS=OFF -DERGO_BENCH=OFF >"$log" 2>&1 || { tail -n 20 "$log"; exit 1; }

names=()
for source in tests/fuzz/*_fuzz.cc; do
  name=$(basename "$source" _fuzz.cc)
  [[ $source == *'*'* || ($only && $only != "$name") ]] || names+=("$name")
done
if ((${#names[@]} == 0)); then
  echo "fuzz: no fuzzer named '$only' in tests/fuzz" >&2
  exit 2
fi
echo "fuzz: building ${names[*]}"
ninja -C build-fuzz "${names[@]/%/_fuzz}" >"$log" 2>&1 ||
  { grep -E -A 8 'FAILED|error' "$log" | head -n 60; exit 1; }

symbolizer=$(command -v llvm-symbolizer-16 || true)
failed=()
for name in "${names[@]}"; do
  kept=${XDG_CACHE_HOME:-$HOME/.cache}/ergo/fuzz/$name
  mkdir -p "$kept/corpus" "$kept/failures"
  folders=("$kept/corpus")
  [[ -d tests/fuzz/corpus/$name ]] && folders+=("tests/fuzz/corpus/$name")
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024
           -print_final_stats=1 -artifact_prefix="$kept/failures/")
  [[ -f tests/fuzz/$name.dict ]] && options+=(-dict="tests/fuzz/$name.dict")
  start=$SECONDS
  if ASAN_SYMBOLIZER_PATH=$symbolizer "build-fuzz/${name}_fuzz" "${options[@]}" "${folders[@]}" \
     >"$kept/log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$kept/log")
    echo "fuzz: $name: nothing found in $((SECONDS - start)) s, ${runs:-?} runs," \
      "$(find "$kept/corpus" -type f | wc -l) inputs kept"
  else
    grep -v '^#' "$kept/log" | tail -n 40
    echo "fuzz: $name: FAILED; the input is in $kept/failures, the log is $kept/log"
    failed+=("$name")
  fi
done
((${#failed[@]} == 0)) || exit 1
