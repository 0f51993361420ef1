#!/usr/bin/env python3
"""Compares constraints with xgrammar and llguidance, and runs the JSON-Schema test suite.

Usage: parity_constrain.py PROGRAM MODEL [--suite FOLDER] [--only NAME]

PROGRAM is bench/constrain_speed as built, MODEL a model file. Without --suite: for a number of
schemas, expressions and grammars, the tokens allowed before each token of an answer are compared
with those of both libraries (as far as they are installed); each difference is printed with a few
tokens. With --suite: FOLDER holds the suite's files for one draft (type.json …); of each schema
that is supported, every valid instance must be accepted and every invalid one refused.
Needs numpy, and xgrammar or llguidance.
"""

import argparse
import json
import pathlib
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


def compare(peer, other, only):
    same = different = 0
    for name, kind, text, answer in CASES:
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
        steps = 0
        for step, (a, b) in enumerate(zip(ours["allowed"], theirs)):
            a = allowed_set(a)
            if a == b:
                same += 1
                continue
            different += 1
            steps += 1
            if steps <= 4:
                before = b"".join(peer.tokens[t] for t in tokens[:step]).decode("utf-8", "replace")
                print(f"{name} after {before!r}: only ours {len(a - b)} {show(peer, a - b)},"
                      f" only {other.name} {len(b - a)} {show(peer, b - a)}")
        if len(theirs) < len(ours["allowed"]):
            print(f"{name}: {other.name} stops after {len(theirs)} of {len(ours['allowed'])} tokens")
    print(f"{other.name}: {same} masks are the same, {different} differ")


def in_schema_order(value, schema):
    """Members that the schema lists first, in its order."""
    if isinstance(value, list):
        return [in_schema_order(v, {}) for v in value]
    if not isinstance(value, dict):
        return value
    listed = list(schema.get("properties", {})) if isinstance(schema, dict) else []
    listed += [k for k in (schema.get("required", []) if isinstance(schema, dict) else []) if k not in listed]
    names = [n for n in listed if n in value] + [n for n in value if n not in listed]
    return {n: value[n] for n in names}


def run_suite(peer, folder):
    right = wrong = refused = 0
    reasons = {}
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        for group in json.loads(path.read_text()):
            tests = group["tests"]
            values = [in_schema_order(t["data"], group["schema"]) for t in tests]
            texts = []
            for value in values:
                texts.append(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
                texts.append(json.dumps(value, ensure_ascii=False))
                texts.append(json.dumps(value, ensure_ascii=False, indent=2))
            answer = peer.ask({"schema": group["schema"], "texts": texts})
            impossible = not any(t["valid"] for t in tests)
            if "error" in answer:
                if "no text" in answer["error"] and impossible:
                    right += len(tests)
                    continue
                refused += 1
                reason = answer["error"].split(": ", 2)[-1]
                reasons[reason] = reasons.get(reason, 0) + 1
                continue
            for i, test in enumerate(tests):
                if all(answer["accepted"][3 * i + k] == test["valid"] for k in range(3)):
                    right += 1
                    continue
                wrong += 1
                print(f"{path.stem}: {group['description']}: {test['description']}: "
                      f"should be {'valid' if test['valid'] else 'invalid'}: {texts[3 * i]}")
    print(f"suite: {right} instances judged rightly, {wrong} wrongly; {refused} schemas refused")
    for reason, count in sorted(reasons.items(), key=lambda r: -r[1]):
        print(f"  {count:4} {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--suite")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    peer = Peer(arguments.program, arguments.model)
    if arguments.suite:
        return run_suite(peer, arguments.suite)
    for make in (XGrammar, LLGuidance):
        try:
            other = make(peer)
        except ImportError as error:
            print(f"{make.name}: {error}", file=sys.stderr)
            continue
        compare(peer, other, arguments.only)


if __name__ == "__main__":
    main()
