#!/usr/bin/env bash
# Files such as x_avx2.cc are compiled for processors that the host need not be. An inline function
# or a template that the compiler leaves in such an object is a weak symbol: the linker keeps one of
# all copies, perhaps the one that the host can't run. So every weak symbol of such an object must
# belong to the namespace of its path, and nothing else may define it. Objects are those of an
# optimized build: without inlining, the standard library's functions are copied everywhere.
# Usage: tools/check_objects.sh BUILD-FOLDER    or    tools/check_objects.sh --self-test
set -euo pipefail

paths='avx2|avxvnni|avx512|amx'

# Reads "OBJECT: SYMBOL KIND …" (nm -A -P) and prints "OBJECT SYMBOL REASON" for what is wrong.
violations() {
  awk -v paths="$paths" '
    { object = substr($1, 1, length($1) - 1); symbol = $2; kind = $3; path = "" }
    match(object, "_(" paths ")\\.cc\\.o$") { path = substr(object, RSTART + 1, RLENGTH - 6) }
    kind !~ /^[A-Zu]$/ { next }  # local symbols
    {
      # An object file is one definition; the same source may be in two programs.
      owner = path == "" ? "others" : path
      if (!((symbol, owner) in seen)) { seen[symbol, owner] = 1; owners[symbol] = owners[symbol] " " owner }
    }
    path != "" && kind ~ /^[WVu]$/ {
      weak[++count] = object; name[count] = symbol; own[count] = path
    }
    END {
      for (i = 1; i <= count; ++i) {
        symbol = name[i]
        # Mangled names give the length of each part: ergo::kernels::avx2 is N4ergo7kernels4avx2.
        if (!index(symbol, length(own[i]) own[i])) print weak[i], symbol, "is not of the path"
        else if (owners[symbol] != " " own[i]) print weak[i], symbol, "is also defined for:" owners[symbol]
      }
    }'
}

self_test() {
  local found
  found=$(violations <<'NM' | cut -d ' ' -f 2 | tr '\n' ' '
a/x_avx2.cc.o: _ZN4ergo4avx24FineEv W 0 1
a/x_avx2.cc.o: _ZN4ergo5CloneEv W 0 1
a/x_avx2.cc.o: _ZN4ergo6StrongEv T 0 1
a/x_avx2.cc.o: _ZN4ergo5LocalEv t 0 1
a/x_avx2.cc.o: _ZN4ergo4avx26SharedEv u 0 1
a/x_avx512.cc.o: _ZN4ergo6avx5124FineEv V 0 1
a/x_avx512.cc.o: _ZN4ergo4avx25WrongEv W 0 1
a/y.cc.o: _ZN4ergo4avx26SharedEv u 0 1
a/y.cc.o: _ZN4ergo5PlainEv W 0 1
NM
  )
  [[ $found == '_ZN4ergo5CloneEv _ZN4ergo4avx26SharedEv _ZN4ergo4avx25WrongEv ' ]] ||
    { echo "objects: the self-test found: $found"; exit 1; }
}

self_test
if [[ ${1:-} == --self-test ]]; then exit 0; fi
if [[ ! -d ${1:-} ]]; then
  echo "usage: tools/check_objects.sh BUILD-FOLDER | --self-test" >&2
  exit 2
fi

root=$(cd "$(dirname "$0")/.." && pwd)
objects=()
while IFS= read -r object; do
  source=${object##*.dir/}
  # A renamed source leaves its object behind.
  [[ -f $root/${source%.o} ]] && objects+=("$object")
done < <(find "$1/CMakeFiles" -name '*.cc.o' -path '*/ergo*.dir/*')
mapfile -t special < <(printf '%s\n' "${objects[@]}" | grep -E "_($paths)\.cc\.o\$")
if ((${#special[@]} == 0)); then
  echo "objects: nothing in $1 is compiled for one kind of processor"
  exit 1
fi
wrong=$(nm -A -P --defined-only "${objects[@]}" 2>/dev/null | violations)
if [[ $wrong ]]; then
  sed "s|^$1/CMakeFiles/[^/]*/||" <<<"$wrong" | c++filt
  echo "objects: FAILED: $(wc -l <<<"$wrong") weak symbols; give them internal linkage (static, an" \
    "unnamed namespace), inline them always, or move them into the namespace of the path"
  exit 1
fi
echo "objects: ${#special[@]} of ${#objects[@]} objects are for some processors only; they share no weak symbol"
