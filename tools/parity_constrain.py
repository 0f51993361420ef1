#!/usr/bin/env python3
"""Compares constraints with xgrammar and llguidance, and runs the JSON-Schema test suite.

Usage: parity_constrain.py BUILD NAME=MODEL… [--suite FOLDER] [--only CASE]

BUILD is the folder with constrain_speed, MODEL a model file. For a number of schemas, expressions
and grammars, the tokens allowed before each token of an answer are compared with those of both
libraries (as far as they are installed). A difference is right if it has one of the reasons in
reason(); the others are printed with a few tokens, and make the program fail. With --suite, which
alone needs no libraries: FOLDER holds the suite's files for one draft (type.json …); of each schema
that is supported, every valid instance must be accepted in one of its spellings, and every invalid
one refused in all of them.
"""

import argparse
import collections
import itertools
import json
import pathlib
import re
import subprocess
import sys

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "nick": {"type": ["string", "null"]},
        "kind": {"enum": ["human", "humanoid", "other"]},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "age", "kind"],
    "additionalProperties": False,
}
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "v": {"type": "number"},
                "c": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["v", "c"],
            "additionalProperties": False,
        }
    },
}
UNION = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"a": {"const": "x"}, "n": {"type": "integer"}},
            "required": ["a", "n"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"a": {"const": "xy"}, "s": {"type": "string", "maxLength": 12}},
            "required": ["a", "s"],
            "additionalProperties": False,
        },
    ]
}
ARITHMETIC = 'root ::= term ([-+] term)*\nterm ::= factor ([*/] factor)*\nfactor ::= [0-9]+ | "(" root ")"\n'

CASES = [
    ("person", "schema", PERSON, '{"name":"Ada Lovelace é","age":36,"nick":null,"kind":"humanoid","tags":["a b","c"]}'),
    ("person, least", "schema", PERSON, '{"name":"","age":-1,"kind":"other"}'),
    ("tree", "schema", TREE, '{"v":1.5,"c":[{"v":-2,"c":[]},{"v":3e4,"c":[{"v":0,"c":[]}]}]}'),
    ("union", "schema", UNION, '{"a":"xy","s":"twelve chars"}'),
    ("bounded", "schema", {"type": "integer", "minimum": -12, "maximum": 345}, "299"),
    ("array", "schema", {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4}, "[true,false,true]"),
    ("pattern", "schema", {"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$"}, '"some-words-here"'),
    ("string", "schema", {"type": "string"}, '"line\\nbreak \\"quoted\\" \\u00e9 日本 😀"'),
    ("date", "regex", r"\d{4}-\d{2}-\d{2}", "2024-02-29"),
    ("words", "regex", r"([A-Z][a-z]{1,20}( [a-z]{1,20}){2,6}\. ?){1,3}", "The quick brown fox jumps. Over the dog."),
    ("choice", "regex", r"(red|reddish|green)( (dark|light))?", "reddish dark"),
    ("not a quote", "regex", r'"[^"\n]*"( or "[^"\n]*")*', '"one thing" or "日本 other"'),
    ("arithmetic", "gbnf", ARITHMETIC, "12*(3+4)-56/(7*(8-9))"),
    ("list", "gbnf", 'root ::= ("- " [^\\n]+ "\\n")+\n', "- a first line\n- and a second 😀\n"),
]


class Peer:
    """Ours, as a process that answers requests."""

    def __init__(self, program, model):
        vocabulary = subprocess.run([program, "-m", model, "--vocabulary"], check=True, capture_output=True, text=True)
        lines = vocabulary.stdout.split()
        self.tokens = [b"" if l in ("end", "special") else bytes.fromhex(l) for l in lines]
        self.ends = [i for i, l in enumerate(lines) if l == "end"]
        self.special = [i for i, l in enumerate(lines) if l == "special"]
        self.process = subprocess.Popen(
            [program, "-m", model, "--requests"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request, ensure_ascii=False) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def tokenize(self, text):
        """Longest tokens first: any division will do for a comparison."""
        if not hasattr(self, "ids"):
            self.ids = {}
            for i, token in enumerate(self.tokens):
                self.ids.setdefault(token, i)
            self.longest = max(len(t) for t in self.ids)
        rest, ids = text.encode(), []
        while rest:
            length = next(n for n in range(min(self.longest, len(rest)), 0, -1) if rest[:n] in self.ids)
            ids.append(self.ids[rest[:length]])
            rest = rest[length:]
        return ids


def allowed_set(ranges):
    allowed = set()
    for part in filter(None, ranges.split(",")):
        first, last = part.split("-")
        allowed.update(range(int(first), int(last) + 1))
    return allowed


def bits_to_set(words, size):
    import numpy

    bits = numpy.unpackbits(numpy.asarray(words, dtype="<u4").view(numpy.uint8), bitorder="little")
    return set(numpy.flatnonzero(bits[:size]).tolist())


class XGrammar:
    name = "xgrammar"

    def __init__(self, peer):
        import xgrammar

        self.x = xgrammar
        self.size = len(peer.tokens)
        vocabulary = [t if t else f"<special{i}>".encode() for i, t in enumerate(peer.tokens)]
        info = xgrammar.TokenizerInfo(vocabulary, xgrammar.VocabType.RAW, vocab_size=self.size,
                                      stop_token_ids=peer.ends)
        self.compiler = xgrammar.GrammarCompiler(info)
        self.ignore = set(peer.special)

    def masks(self, kind, text, tokens):
        x = self.x
        if kind == "schema":
            compiled = self.compiler.compile_json_schema(json.dumps(text), any_whitespace=False,
                                                         separators=(",", ":"), strict_mode=False)
        elif kind == "regex":
            compiled = self.compiler.compile_regex(text)
        else:
            compiled = self.compiler.compile_grammar(text)
        matcher = x.GrammarMatcher(compiled)
        bitmask = x.allocate_token_bitmask(1, self.size)
        for token in list(tokens) + [None]:
            matcher.fill_next_token_bitmask(bitmask)
            yield bits_to_set(bitmask.numpy()[0], self.size) - self.ignore
            if token is None or not matcher.accept_token(token):
                return


class LLGuidance:
    name = "llguidance"

    def __init__(self, peer):
        import llguidance

        class Wrapped:
            eos_token_id = peer.ends[0]
            bos_token_id = None
            tokens = [t if t else b"\xff<special%d>" % i for i, t in enumerate(peer.tokens)]
            special_token_ids = peer.special + peer.ends

            def __call__(self, text):
                return peer.tokenize(text.decode() if isinstance(text, bytes) else text)

        self.l = llguidance
        self.ends = set(peer.ends)
        self.tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Wrapped()))
        self.ignore = set(peer.special)
        self.size = len(peer.tokens)

    def masks(self, kind, text, tokens):
        l = self.l
        if kind == "schema":
            options = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
            grammar = l.LLMatcher.grammar_from_json_schema({**text, "x-guidance": options})
        elif kind == "regex":
            grammar = l.LLMatcher.grammar_from_regex(text)
        else:
            from llguidance.gbnf_to_lark import any_to_lark

            grammar = l.LLMatcher.grammar_from_lark(any_to_lark(text))
        matcher = l.LLMatcher(self.tokenizer, grammar)
        if matcher.is_error():
            raise RuntimeError(matcher.get_error())
        for token in list(tokens) + [None]:
            words = memoryview(matcher.compute_bitmask()).cast("I")
            allowed = bits_to_set(list(words), self.size) - self.ignore
            yield allowed | self.ends if allowed & self.ends else allowed
            if token is None or not matcher.consume_token(token):
                return


def show(peer, ids):
    return [peer.tokens[i].decode("utf-8", "replace") if peer.tokens[i] else f"<{i}>" for i in sorted(ids)[:8]]


def reason(peer, other, case, step, tokens, ours, theirs):
    """Why the masks may differ here, or None."""
    name, kind, text, _ = case
    mine = [peer.tokens[i] for i in ours - theirs]
    yours = [peer.tokens[i] for i in theirs - ours]
    before = b"".join(peer.tokens[t] for t in tokens[:step])
    if other.name == "llguidance":
        forced = [peer.tokens[i] for i in theirs]
        if len(forced) == 1 and not yours and all(forced[0].startswith(t) for t in mine):
            return "forced text in one division into tokens only"
        escape = re.search(rb"\\(u[0-9a-f]*)?$", before)
        if kind == "schema" and not yours and escape:
            return "strings without \\x7f, \\/ and \\u beyond controls"
        if kind == "schema" and not yours and all(b"\x7f" in t or b"\\/" in t or b"\\u" in t for t in mine):
            return "strings without \\x7f, \\/ and \\u beyond controls"
        if kind == "regex" and "\\d" in text and not mine and all(t[0] >= 0x80 for t in yours):
            return "\\d takes other scripts' digits (ECMAScript's does not)"
    if other.name == "xgrammar":
        if before.endswith(b"-") and not yours and set(mine) == {b"0"}:
            return "no integer -0"
        limited = name == "union" and all(b"\\" in t for t in mine)
        if limited and all(any(c < 0x20 for c in t) for t in yours):
            return "strings with maxLength: raw control characters, no escapes"
        half = [t.lower().lstrip(b"u") for t in yours]
        if before.endswith((b"\\", b"\\u")) and not mine and all(t[:1] == b"d" and t[1:2] >= b"8" for t in half):
            return "\\u escapes of half a surrogate pair"
    return None


def compare(peer, other, only):
    """Prints a line of the table; the number of masks that differ without a reason."""
    same = different = 0
    reasons = collections.Counter()
    for case in CASES:
        name, kind, text, answer = case
        if only and only != name:
            continue
        tokens = peer.tokenize(answer)
        ours = peer.ask({kind: text, "tokens": tokens, "spacing": "compact"})
        if "error" in ours:
            print(f"{name}: {ours['error']}")
            different += 1
            continue
        try:
            theirs = list(other.masks(kind, text, tokens))
        except Exception as error:  # noqa: BLE001
            print(f"{name}: {other.name} refuses: {error}")
            continue
        for step, (a, b) in enumerate(zip(ours["allowed"], theirs)):
            a = allowed_set(a)
            if a == b:
                same += 1
                continue
            why = reason(peer, other, case, step, tokens, a, b)
            if why:
                reasons[why] += 1
                continue
            different += 1
            before = b"".join(peer.tokens[t] for t in tokens[:step]).decode("utf-8", "replace")
            print(f"{name} after {before!r}: only ours {len(a - b)} {show(peer, a - b)},"
                  f" only {other.name} {len(b - a)} {show(peer, b - a)}")
        missing = len(ours["allowed"]) - len(theirs)
        if missing:
            reasons["it stops at an answer that is right"] += missing
    print(f"{other.name:<12}{same:>6}{sum(reasons.values()):>11}{different:>9}")
    for why, count in reasons.most_common():
        print(f"{'':12}{'':6}{count:>11}  {why}")
    return different


def spellings(value, most=64):
    """Texts of one value: members in any order, whole numbers with a point and without."""
    if isinstance(value, list):
        parts = list(itertools.islice(itertools.product(*(spellings(v, 8) for v in value)), most))
        return ["[" + ",".join(p) + "]" for p in parts]
    if isinstance(value, dict):
        texts = []
        for order in itertools.islice(itertools.permutations(value), 24):
            names = [json.dumps(n, ensure_ascii=False) + ":" for n in order]
            choices = itertools.product(*(spellings(value[n], 4) for n in order))
            for choice in itertools.islice(choices, max(1, most // 24)):
                texts.append("{" + ",".join(n + c for n, c in zip(names, choice)) + "}")
        return texts
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e300:
        return [str(int(value)), text]
    if isinstance(value, int) and not isinstance(value, bool):
        return [text, text + ".0"]
    return [text]


def suite_files(folder):
    """Files of the draft; those of the formats that say what is valid, not that nothing is."""
    folder = pathlib.Path(folder)
    return ([p for p in sorted(folder.glob("*.json")) if p.stem != "format"]
            + sorted(folder.glob("optional/format/*.json")))


def run_suite(peer, folder):
    """Prints what came of each instance; the number of those judged wrongly."""
    right = wrong = refused = left_out = 0
    reasons = collections.Counter()
    for path in suite_files(folder):
        for group in json.loads(path.read_text()):
            tests = group["tests"]
            texts = [spellings(t["data"]) for t in tests]
            for test, made in zip(tests, texts):
                made.append(json.dumps(test["data"], ensure_ascii=False, indent=2))
            answer = peer.ask({"schema": group["schema"], "texts": list(itertools.chain(*texts))})
            if "error" in answer:
                if "no text" in answer["error"] and not any(t["valid"] for t in tests):
                    right += len(tests)
                    continue
                refused += 1
                left_out += len(tests)
                reasons[answer["error"].split(": ", 2)[-1]] += 1
                continue
            start = 0
            for test, made in zip(tests, texts):
                accepted = answer["accepted"][start:start + len(made)]
                start += len(made)
                if any(accepted) == test["valid"]:
                    right += 1
                    continue
                wrong += 1
                print(f"{path.stem}: {group['description']}: {test['description']}: "
                      f"should be {'valid' if test['valid'] else 'invalid'}: {made[0][:100]}")
    for why, count in reasons.most_common():
        print(f"  refused {count:4}: {why}")
    print(f"suite: {right + wrong + left_out} instances, {left_out} of {refused} schemas that are refused, "
          f"{right} judged rightly, {wrong} wrongly")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--suite")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    failed = 0
    for model in arguments.models:
        name, _, path = model.rpartition("=")
        peer = Peer(f"{arguments.build}/constrain_speed", path)
        if arguments.suite:
            return 1 if run_suite(peer, arguments.suite) else 0
        print(f"{name or path}: masks of {len(peer.tokens)} tokens\n{'':12}{'same':>6}{'explained':>11}{'wrong':>9}")
        compared = 0
        for make in (XGrammar, LLGuidance):
            try:
                other = make(peer)
            except ImportError as error:
                print(f"{make.name}: {error}", file=sys.stderr)
                continue
            compared += 1
            failed += compare(peer, other, arguments.only)
        if not compared:
            return "neither xgrammar nor llguidance is installed"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
