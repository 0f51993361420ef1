#!/usr/bin/env python3
"""Checks that src/ keeps its layers (docs/ARCHITECTURE.md), by reading #include lines.

  tools/check_layers.py              check the tree; exit status 1 on any violation
  tools/check_layers.py --self-test  check the checker

Refused: an include of a folder that the table does not name, an include in quotes of a file that
is not there, cycles of files, a library outside the files that own it, a folder that the table does
not know, names that say nothing. Warned of: files over 600 lines.
"""

import re
import sys
import tempfile
from pathlib import Path

# folder -> the folders that it may include, besides itself, base and tensor.
ALLOWED = {
    "base": [],
    "tensor": [],
    "formats": [],
    "tokenizer": ["formats"],
    "kernels": [],
    "model": ["formats", "kernels"],
    "multimodal": ["model", "kernels"],
    "runtime": ["model", "kernels"],
    "generate": ["runtime", "tokenizer", "multimodal"],
    "knowledge": [],
    "reasoning": ["generate", "knowledge"],
    "applications": ["reasoning", "knowledge"],
    "serve": ["reasoning", "applications", "generate"],
    "capi": ["generate"],
    "cli": None,  # everything but capi and app
    "app": None,  # wires the program
}
FOR_ALL = ["base", "tensor"]
NEVER = {"base": ["tensor"], "cli": ["capi", "app"], "app": ["capi"]}

# First part of a library's include path -> the places that may name it.
OWNERS = {
    "nlohmann": ["base/json.", "base/precompiled."],
    "CLI": ["cli/"],
    "curl": ["formats/hub/", "serve/observe/"],
    "openssl": ["formats/hub/", "serve/access/", "serve/cache/", "serve/http/"],
    "pcre2.h": ["tokenizer/", "reasoning/trace/"],
    "utf8proc.h": ["tokenizer/"],
    "ergo": ["capi/", "serve/grpc/"],
    "xxhash.h": ["base/content_hash."],
    "gmpxx.h": ["reasoning/verify/"],
    "ginac": ["reasoning/verify/"],
    "z3++.h": ["reasoning/verify/"],
    "sqlite3.h": ["reasoning/trace/"],
    "seccomp.h": ["reasoning/sandbox/"],
    "boost": ["serve/http/"],
    "hiredis": ["serve/cache/"],
    "grpc": ["serve/grpc/"],
    "grpcpp": ["serve/grpc/"],
    "google": ["serve/grpc/"],
    "toml++": ["cli/"],
}

FORBIDDEN_NAMES = re.compile(r"^(utils?|helpers?|commons?|misc)$|_(utils?|helpers?)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SUFFIXES = {".h", ".cc", ".inc", ".cu"}
LONG_FILE = 600


def may_include(folder, target):
    if target in NEVER.get(folder, []):
        return False
    if target == folder or target in FOR_ALL:
        return True
    allowed = ALLOWED[folder]
    return allowed is None or target in allowed


def find_cycle(graph):
    """A list of files that include each other in turn, or None."""
    state = {}
    for start in sorted(graph):
        if start in state:
            continue
        stack = [(start, iter(graph[start]))]
        state[start] = "open"
        while stack:
            node, targets = stack[-1]
            for target in targets:
                if state.get(target) == "open":
                    path = [entry[0] for entry in stack]
                    return path[path.index(target):] + [target]
                if target not in state:
                    state[target] = "open"
                    stack.append((target, iter(graph.get(target, []))))
                    break
            else:
                state[node] = "done"
                stack.pop()
    return None


def check_names(path):
    for part in path.with_suffix("").parts:
        if FORBIDDEN_NAMES.search(part.lower()):
            yield f"src/{path}: a name that says nothing: {part}"


def check_file(src, path, graph):
    """Violations of one file; adds its includes to `graph`."""
    folder = path.parts[0]
    text = (src / path).read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        place = f"src/{path}:{number}"
        own, library = match.groups()
        if library:
            owners = OWNERS.get(library.split("/")[0], None)
            if owners is not None and not any(str(path).startswith(o) for o in owners):
                yield f"{place}: <{library}> belongs to {' '.join(owners)}"
            continue
        target = own.split("/")[0]
        if target not in ALLOWED:
            yield f'{place}: "{own}" does not start with a folder of src/'
        elif not may_include(folder, target):
            yield f"{place}: {folder} may not include {target}"
        elif not (src / own).is_file():
            yield f'{place}: "{own}" is not there'
        else:
            graph.setdefault(str(path), []).append(own)


def check_tree(src):
    """Returns (violations, warnings)."""
    violations, warnings, graph = [], [], {}
    files = sorted(p.relative_to(src) for p in src.rglob("*") if p.suffix in SUFFIXES)
    for path in files:
        violations += check_names(path)
        if len(path.parts) < 2 or path.parts[0] not in ALLOWED:
            violations.append(f"src/{path}: not in a folder that the table knows")
            continue
        violations += check_file(src, path, graph)
        lines = (src / path).read_bytes().count(b"\n")
        if lines > LONG_FILE:
            warnings.append(f"src/{path}: {lines} lines; split it (about 500 is the limit)")
    cycle = find_cycle(graph)
    if cycle:
        violations.append("cycle of includes: " + " -> ".join(cycle))
    return violations, warnings


def self_test():
    cases = [
        ({"base/a.h": "", "formats/b.cc": '#include "base/a.h"\n'}, None),
        ({"tensor/a.h": "", "model/b.h": '#include "tensor/a.h"\n'}, None),
        ({"generate/a.h": "", "cli/commands/run.cc": '#include "generate/a.h"\n'}, None),
        ({"base/json.h": "#include <nlohmann/json.hpp>\n"}, None),
        ({"tensor/a.h": "", "base/b.h": '#include "tensor/a.h"\n'}, "base may not include tensor"),
        ({"runtime/a.h": "", "model/b.h": '#  include "runtime/a.h"\n'},
         "model may not include runtime"),
        # Through another folder is not enough: the table must name it.
        ({"model/a.h": "", "generate/b.cc": '#include "model/a.h"\n'},
         "generate may not include model"),
        ({"cli/a.h": "", "generate/b.cc": '#include "cli/a.h"\n'}, "generate may not include cli"),
        ({"base/a.h": '#include "base/b.h"\n', "base/b.h": '#include "base/a.h"\n'}, "cycle"),
        ({"base/a.h": '#include "base/gone.h"\n'}, "is not there"),
        ({"base/a.h": '#include "b.h"\n', "base/b.h": ""}, "does not start with a folder"),
        ({"model/a.cc": "#include <nlohmann/json.hpp>\n"}, "belongs to"),
        ({"formats/gguf.cc": "#include <curl/curl.h>\n"}, "belongs to"),
        ({"extras/a.h": ""}, "not in a folder"),
        ({"base/utils.h": ""}, "says nothing"),
        ({"model/string_helpers.h": ""}, "says nothing"),
        ({"model/misc/a.h": ""}, "says nothing"),
    ]
    failed = 0
    for files, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            violations, _ = check_tree(Path(folder))
        fine = not violations if expected is None else any(expected in v for v in violations)
        if not fine:
            failed += 1
            print(f"self-test: {sorted(files)}: expected {expected!r}, found {violations}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "base").mkdir()
        (Path(folder) / "base" / "long.cc").write_text("\n" * (LONG_FILE + 1))
        if len(check_tree(Path(folder))[1]) != 1:
            failed += 1
            print("self-test: a long file gave no warning")
    print(f"self-test: {len(cases) + 1 - failed} of {len(cases) + 1} passed")
    return failed == 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 0 if self_test() else 1
    if sys.argv[1:]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    violations, warnings = check_tree(Path(__file__).resolve().parent.parent / "src")
    for line in warnings:
        print(f"warning: {line}")
    for line in violations:
        print(line)
    print(f"layers: {len(violations)} violations, {len(warnings)} warnings")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
