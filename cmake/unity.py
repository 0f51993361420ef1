#!/usr/bin/env python3
"""Groups C++ files into few large ones, which a compiler reads faster: a header that many of them
include, and a template that many use, is then compiled once for the group.

Usage: unity.py OUTPUT_PREFIX FILE...
Writes OUTPUT_PREFIX_0.cc, OUTPUT_PREFIX_1.cc ..., each including some of the files, and prints, a line
each, what to compile: these, and the files that stand alone. A file that is written anew only if it
changes keeps its object.

Files share a group only if no name that one of them keeps to itself (in an unnamed namespace, or
static) appears in another one or in the project's headers that it includes. The files need no
care for that.
"""

import functools
import pathlib
import re
import sys

MOST_LINES = 1600
SKIPPED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", re.S
)
TOKEN = re.compile(r"[A-Za-z_]\w*|[^\s\w]")
WORD = re.compile(r"[A-Za-z_]\w*")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
MACRO = re.compile(r"[A-Z][A-Z0-9_]+")  # TEST(…) { and the like
KEYWORDS = {"alignas", "decltype", "noexcept", "operator"}


def without_text(source):
    """The source without comments and literals; digits' separators stay."""
    return SKIPPED.sub(lambda m: m.group(0) if m.group(0).startswith("'") and m.group(0)[1:2].isdigit()
                       and m.group(0)[2:3] != "'" else " ", source)


def own_names(code):
    """Names that a file declares in an unnamed namespace, or as static at namespace level."""
    code = re.sub(r"^\s*#(?:[^\n\\]|\\\n|\\.)*", " ", code, flags=re.M)
    tokens = TOKEN.findall(code)
    names = set()
    stack = []  # one of "named", "unnamed", "other" for each open brace
    statement = []
    for token in tokens:
        inside = all(kind != "other" for kind in stack)
        if token == "{":
            if inside and "namespace" in statement:
                stack.append("unnamed" if statement[-1] == "namespace" else "named")
                statement = []
                continue
            if inside:
                names |= declared(statement, "unnamed" in stack)
            stack.append("other")
        elif token == "}":
            if stack:
                stack.pop()
            if all(kind != "other" for kind in stack):
                statement = ["}"]
        elif token == ";":
            if inside:
                names |= declared(statement, "unnamed" in stack)
                statement = []
        elif inside:
            statement.append(token)
    return names


def declared(statement, unnamed):
    """The names that one statement at namespace level declares, if they are the file's own."""
    statement = without_template(statement[1:] if statement[:1] == ["}"] else statement)
    if not statement or not (unnamed or "static" in statement) or MACRO.fullmatch(statement[0]):
        return set()
    if statement[0] in ("struct", "class", "union", "enum"):
        named = [word for word in statement[1:] if word not in ("struct", "class", "final")]
        return {named[0]} if named and WORD.fullmatch(named[0]) else set()
    if statement[0] == "using":  # the same one may stand in several files, if not an alias
        return {statement[1]} if statement[2:3] == ["="] else set()
    for word, after in zip(statement, statement[1:]):
        if WORD.fullmatch(word) and after in ("(", "=", "[") and word not in KEYWORDS:
            return {word}
    return {word for word in statement[-1:] if WORD.fullmatch(word)}


def without_template(statement):
    """A statement without the `template <...>` before it."""
    if statement[:1] != ["template"]:
        return statement
    depth = 0
    for index, token in enumerate(statement):
        depth += (token == "<") - (token == ">")
        if index > 0 and depth == 0:
            return without_template(statement[index + 1 :])
    return statement


@functools.cache
def header_words(root, name):
    path = root / name
    if not path.is_file():
        return frozenset()
    code = path.read_text()
    words = set(WORD.findall(without_text(code)))
    for other in INCLUDE.findall(code):
        words |= header_words(root, other)
    return frozenset(words)


class Source:
    def __init__(self, path, root):
        self.path = path
        text = path.read_text()
        code = without_text(text)
        self.lines = text.count("\n")
        self.alone = re.search(r"^\s*#\s*(define|undef|pragma)", text, re.M) is not None
        self.own = own_names(code)
        self.words = set(WORD.findall(code))
        for name in INCLUDE.findall(text):
            self.words |= header_words(root, name)


def root_of(path):
    for parent in path.parents:
        if parent.name == "src":
            return parent
    return path.parent


def main():
    prefix = pathlib.Path(sys.argv[1])
    groups = []
    alone = []
    for name in sorted(sys.argv[2:]):
        source = Source(pathlib.Path(name), root_of(pathlib.Path(name)))
        if source.alone:
            alone.append(name)
            continue
        for group in groups:
            if (
                group["lines"] + source.lines <= MOST_LINES
                and not (group["own"] & source.words)
                and not (source.own & group["words"])
            ):
                break
        else:
            group = {"lines": 0, "own": set(), "words": set(), "names": []}
            groups.append(group)
        group["lines"] += source.lines
        group["own"] |= source.own
        group["words"] |= source.words
        group["names"].append(name)
    for index, group in enumerate(groups):
        if len(group["names"]) == 1:
            alone.append(group["names"][0])
            continue
        text = "".join(f'#include "{name}"\n' for name in group["names"])
        path = pathlib.Path(f"{prefix}_{index}.cc")
        if not path.is_file() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        print(path)
    print("\n".join(sorted(alone)))


if __name__ == "__main__":
    main()
