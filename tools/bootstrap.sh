#!/usr/bin/env bash
# Installs the Debian 12 packages that a task needs, saying which; silent when all are there.
# Usage: tools/bootstrap.sh run|test|ci|nightly
set -euo pipefail
cd "$(dirname "$0")/.."

build=(g++ cmake ninja-build pkg-config libexpected-dev libfmt-dev nlohmann-json3-dev libcli11-dev
       libpcre2-dev libutf8proc-dev libcurl4-openssl-dev libssl-dev
       libxxhash-dev libgmp-dev libginac-dev libz3-dev libsqlite3-dev libseccomp-dev bubblewrap
       libboost1.81-dev libtomlplusplus-dev
       libhiredis-dev libgrpc++-dev libprotobuf-dev protobuf-compiler-grpc
       python3)
fetch=(ca-certificates python3-pip)
tests=(libgtest-dev libgmock-dev librapidcheck-dev redis-server)
case "${1:-}" in
  run) packages=("${build[@]}" "${fetch[@]}") ;;
  test) packages=("${build[@]}" "${fetch[@]}" "${tests[@]}") ;;
  ci) packages=("${build[@]}" "${fetch[@]}" "${tests[@]}" git clang-format-16 clang-tidy-16) ;;
  nightly) packages=("${build[@]}" "${fetch[@]}" "${tests[@]}" git clang-format-16 clang-tidy-16
                     clang-16 clang-tools-16 libclang-rt-16-dev llvm-16) ;;
  *) echo "usage: tools/bootstrap.sh run|test|ci|nightly" >&2; exit 2 ;;
esac

# The stamp holds the list that was last found complete, so that a warm call asks nobody.
stamp=build/.packages-$1
if [[ -f $stamp && $(<"$stamp") == "${packages[*]}" ]]; then exit 0; fi

if ! command -v dpkg-query >/dev/null; then
  echo "ergo: this is not Debian; needed are the equivalents of: ${packages[*]}" >&2
  exit 0
fi
missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "ergo: installing Debian packages: ${missing[*]}" >&2
  as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "ergo: neither root nor sudo; as root, run: apt-get install ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  log=$(mktemp)
  install=(apt-get install -y -q --no-install-recommends "${missing[@]}")
  # Package lists may be absent or old: refresh them only when the first attempt fails.
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" >"$log" 2>&1; then
    if ! { "${as_root[@]}" apt-get update -q &&
           "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}"; } >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      echo "ergo: could not install the packages above (full log: $log)" >&2
      exit 1
    fi
  fi
  rm -f "$log"
fi
mkdir -p build
echo "${packages[*]}" >"$stamp"
