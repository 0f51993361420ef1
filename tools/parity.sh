#!/usr/bin/env bash
# Prints tables that compare us with the reference implementations.
# Usage: tools/parity.sh [tokenizers|templates|decoders|logits|inspect|constrain]…    (all of them)
# The references go into a virtual environment under ${ERGO_CACHE:-$HOME/.cache/ergo}; to use one that
# has them already, name its interpreter in ERGO_PARITY_PYTHON.
set -euo pipefail
cd "$(dirname "$0")/.."

tables=("$@")
((${#tables[@]})) || tables=(tokenizers templates decoders logits inspect constrain)
for table in "${tables[@]}"; do
  if [[ ! -f tools/parity_$table.py ]]; then
    echo "parity: there is no table '$table'" >&2
    exit 2
  fi
done

tools/bootstrap.sh run
[[ -f build/build.ninja ]] ||
  cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DERGO_TESTS=OFF >/dev/null
ninja -C build ergo logits_dump template_render tokenizer_speed constrain_speed >build/parity.log 2>&1 || { tail -n 40 build/parity.log >&2; exit 1; }

python=${ERGO_PARITY_PYTHON:-}
if [[ ! $python ]]; then
  folder=${ERGO_CACHE:-$HOME/.cache/ergo}/parity
  python=$folder/bin/python
  if [[ ! -f $folder/complete ]]; then
    echo "parity: installing the references into $folder" >&2
    host=
    for candidate in python3 /usr/bin/python3; do
      if "$candidate" -m venv --help >/dev/null 2>&1 &&
         "$candidate" -c 'import ensurepip' 2>/dev/null; then host=$candidate; break; fi
    done
    [[ $host ]] || { echo "parity: needs the Debian package python3-venv" >&2; exit 1; }
    "$host" -m venv "$folder"
    "$python" -m pip install -q --disable-pip-version-check -r tools/parity_requirements.txt
    touch "$folder/complete"
  fi
fi

models=()
for name in smollm2 qwen05 gemma270; do
  if path=$(tools/fetch_model.sh "$name"); then models+=("$name=$path"); fi
done

constrain_suite() {  # The public JSON-Schema test suite, which this source package carries.
  local folder=${ERGO_CACHE:-$HOME/.cache/ergo}/json-schema-suite package=jsonschema-4.26.0
  if [[ ! -d $folder/$package ]]; then
    mkdir -p "$folder"
    "$python" -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: \
      -d "$folder" "${package/-/==}" && tar -xzf "$folder/$package.tar.gz" -C "$folder" || return 1
  fi
  "$python" tools/parity_constrain.py build "${models[0]}" \
    --suite "$folder/$package/json/tests/draft2020-12"
}

compare() {  # TABLE
  if [[ $1 == tokenizers ]]; then
    local program=(--program "build/ergo tokenize" --speed build/tokenizer_speed)
    "$python" tools/parity_tokenizers.py "${program[@]}" "${models[@]#*=}" &&
      "$python" tools/parity_tokenizers.py "${program[@]}" --made --megabytes 0.5 --decode
  elif [[ $1 == constrain ]]; then
    "$python" tools/parity_constrain.py build "${models[@]}" && constrain_suite
  else
    "$python" "tools/parity_$1.py" build "${models[@]}"
  fi
}

failed=()
for table in "${tables[@]}"; do
  echo
  echo "== $table"
  compare "$table" || failed+=("$table")
done
if ((${#failed[@]})); then
  printf '\nparity: DIFFERENCES: %s\n' "${failed[*]}"
  exit 1
fi
