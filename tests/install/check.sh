#!/usr/bin/env bash
# Installs the library of a build into a folder of its own, builds the examples against that with
# CMake and with pkg-config, and runs them on a tiny model.
# Usage: check.sh BUILD-FOLDER WRITE_TINY_MODEL
set -euo pipefail
if (($# != 2)); then
  echo "usage: check.sh BUILD-FOLDER WRITE_TINY_MODEL" >&2
  exit 2
fi
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$1
cc=${CC:-cc}
cxx=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quietly() {  # quietly COMMAND…: shows the output only if it fails
  if ! "$@" >"$work/log" 2>&1; then
    cat "$work/log"
    echo "install: FAILED: $*"
    exit 1
  fi
}

run() {  # run NAME EXPECTED COMMAND…: the command's output must match
  local name=$1 expected=$2 output
  shift 2
  if ! output=$("$@" 2>&1) || ! grep -qE -- "$expected" <<<"$output"; then
    echo "$output"
    echo "install: FAILED: $name: $*"
    exit 1
  fi
}

run_all() {  # run_all FOLDER: the three examples
  run chat '^> .*' "$1/chat" "$work/model" <<<$'Hello\nWhy?'
  run beam_search '^-[0-9.]+(e-[0-9]+)?  Hi' "$1/beam_search" "$work/model" Hi 3 6
  run vote '^2 \+ 3 = [0-9]+$' "$1/vote" "$work/model" 2 3 64
}

"$2" "$work/model"
quietly cmake --install "$build" --prefix "$work/installed" --component library
# An installed tree can be moved.
mv "$work/installed" "$work/prefix"
library=$(dirname "$(find "$work/prefix" -name libergo.a)")

if [[ -e $library/libergo.so ]]; then
  shown=$(nm -D --defined-only "$library/libergo.so" | awk '{print $3}' | sed 's/@.*//' | sort)
  declared=$(grep -oE 'ergo_[a-z_]+\(' "$work/prefix/include/ergo/ergo.h" | tr -d '(' | sort -u)
  if ! diff <(echo "$declared") <(echo "$shown"); then
    echo "install: FAILED: libergo.so shows other symbols than ergo.h declares"
    exit 1
  fi
fi

quietly cmake -S "$source/examples" -B "$work/examples" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx"
quietly cmake --build "$work/examples" -j "$(nproc)"
run_all "$work/examples"

export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library
mkdir "$work/plain"
read -r -a compile <<<"$(pkg-config --cflags ergo)"
read -r -a link <<<"$(pkg-config --libs ergo)"
read -r -a link_static <<<"$(pkg-config --static --libs ergo)"
quietly "$cc" -std=c99 -Wall -Wextra -pedantic -Werror "${compile[@]}" -c \
  "$source/tests/install/c_program.c" -o "$work/c_program.o"
if [[ -e $library/libergo.so ]]; then
  quietly "$cc" "$work/c_program.o" "${link[@]}" -lm -o "$work/plain/c_program"
  run c_program 'all is well' "$work/plain/c_program" "$work/model"
fi
# The archive, whether or not there is a shared library beside it.
quietly "$cc" "$work/c_program.o" "${link_static[@]/#-lergo/-l:libergo.a}" -lm \
  -o "$work/plain/c_program_static"
run c_program_static 'all is well' "$work/plain/c_program_static" "$work/model"
quietly "$cxx" -std=c++20 -Wall -Wextra -Werror "${compile[@]}" "$source/examples/vote.cpp" \
  "${link[@]}" -o "$work/plain/vote"
run vote '^2 \+ 3 = [0-9]+$' "$work/plain/vote" "$work/model" 2 3 64
echo "install: the library installs, and examples build and run with CMake and pkg-config"
