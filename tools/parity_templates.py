#!/usr/bin/env python3
"""Compares our chat templates with Transformers' renderer.

Needs a Python with transformers and jinja2 (tools/parity.sh makes one). Renders every *.jinja file
of the given folders with a fixed set of conversations on both sides and prints a table. A case in
which both sides refuse counts as identical; one in which only one does, as different.

  tools/parity_templates.py build [name=model.gguf …] [--folder DIR …]

`build` is the folder of the program template_render. Without a folder of templates it fetches the
source package of llama-cpp-python with pip, once, and unpacks nothing of it but the public chat
templates that it carries, into ${ERGO_CACHE:-~/.cache/ergo}/templates. The templates in the models
are compared, too.
"""

import argparse
import datetime
import difflib
import itertools
import json
import os
import pathlib
import select
import subprocess
import sys
import tarfile
import tempfile

FIXED_TIME = 1_750_000_000
PACKAGE = "llama-cpp-python==0.3.36"
TIMEOUT_SECONDS = 30


def tool(name, description, properties, required):
    """A tool in the schema that chat templates expect."""
    parameters = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


WEATHER = tool(
    "get_weather",
    'Gives the weather of a place, "as it is" <now> & here',
    {
        "city": {"type": "string", "description": "The city's name"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
    },
    ["city"],
)
LOOKUP = tool(
    "lookup",
    "Looks a word up.",
    {
        "word": {"type": "string", "description": "The word"},
        "count": {"type": "integer", "description": "How many entries"},
        "exact": {"type": "boolean", "description": "No similar words"},
    },
    ["word", "count"],
)
SEARCH = tool(
    "search",
    "Sucht im Netz – 搜索",
    {
        "query": {"type": ["string", "null"], "description": "words"},
        "limits": {
            "type": "object",
            "description": "bounds",
            "properties": {"score": {"type": "number", "maximum": 0.5}, "deep": {"type": "boolean"}},
            "required": ["score"],
        },
        "tags": {"type": "array", "items": {"type": "string"}, "description": "any of"},
    },
    [],
)


def call(name, arguments, call_id="callabc12", with_type=True):
    """A tool call of an assistant."""
    made = {"id": call_id, "function": {"name": name, "arguments": arguments}}
    return {"type": "function", **made} if with_type else made


SYSTEM = {"role": "system", "content": "You are helpful.\nAnswer <briefly> & well. "}
HELLO = {"role": "user", "content": "Hello, wie geht's? 你好 🙂"}
REPLY = {"role": "assistant", "content": "  Fine!\n"}
AGAIN = {"role": "user", "content": "And what is 2 + 2?"}
REASONED = {
    "role": "assistant",
    "content": "It is 4.",
    "reasoning_content": "Two and two.\nThat makes four.",
}
THOUGHT = {"role": "assistant", "content": "<think>\nTwo and two.\n</think>\n\nIt is 4."}
ASK = {"role": "user", "content": "Weather in Köln and Oslo?"}
ASSISTANT_CALLS = {
    "role": "assistant",
    "content": "",
    "tool_calls": [call("get_weather", {"city": "Köln", "days": 3, "unit": None})],
}
ASSISTANT_TWO_CALLS = {
    "role": "assistant",
    "content": "Let me look.",
    "reasoning_content": "I need both.",
    "tool_calls": [
        call("get_weather", {"city": "Köln"}, "call00001"),
        call("search", {"query": "Oslo \"weather\"", "limits": {"score": 0.25, "deep": True}, "tags": ["a", "b"]}, "call00002"),
    ],
}
ASSISTANT_TEXT_ARGUMENTS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [call("get_weather", '{"city": "Köln"}', "call00003")],
}
TOOL_RESULT = {"role": "tool", "name": "get_weather", "tool_call_id": "callabc12", "content": '{"temperature": 21.5}'}
TOOL_RESULTS = [
    {"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": "21.5 °C"},
    {"role": "tool", "name": "search", "tool_call_id": "call00002", "content": "[1, 2]"},
]
PARTS = {
    "role": "user",
    "content": [{"type": "text", "text": "Look: "}, {"type": "text", "text": "this."}],
}
PICTURE = {
    "role": "user",
    "content": [{"type": "image", "image": "a.png"}, {"type": "text", "text": "What is it?"}],
}
ANSWER = {"role": "assistant", "content": "21.5 degrees in Köln."}

CONVERSATIONS = {
    "user": [HELLO],
    "system": [SYSTEM, HELLO],
    "turns": [SYSTEM, HELLO, REPLY, AGAIN],
    "turns without system": [HELLO, REPLY, AGAIN, REASONED, HELLO],
    "reasoning": [SYSTEM, AGAIN, REASONED, HELLO, THOUGHT],
    "reasoning last": [AGAIN, REASONED],
    "tool call": [SYSTEM, ASK, ASSISTANT_CALLS],
    "tool result": [SYSTEM, ASK, ASSISTANT_CALLS, TOOL_RESULT],
    "tool answer": [ASK, ASSISTANT_CALLS, TOOL_RESULT, ANSWER, AGAIN],
    "two calls": [SYSTEM, ASK, ASSISTANT_TWO_CALLS, *TOOL_RESULTS],
    "two calls, answer": [ASK, ASSISTANT_TWO_CALLS, *TOOL_RESULTS, ANSWER, HELLO],
    "text arguments": [ASK, ASSISTANT_TEXT_ARGUMENTS, TOOL_RESULT, ANSWER],
    "parts": [SYSTEM, PARTS, REPLY, PARTS],
    "picture": [PICTURE, REPLY, AGAIN],
    "developer": [{"role": "developer", "content": "Be brief."}, HELLO, REPLY],
    "two users": [HELLO, AGAIN],
    "lookup": [AGAIN, {"role": "assistant", "content": "", "tool_calls": [call("lookup", {"word": "four", "count": 2, "exact": False})]}, {"role": "tool", "name": "lookup", "tool_call_id": "callabc12", "content": "4"}, ANSWER, HELLO],
    "only system": [SYSTEM],
    "empty": [],
    "unknown role": [{"role": "narrator", "content": "Once upon a time"}, HELLO],
    "empty texts": [{"role": "system", "content": ""}, {"role": "user", "content": ""}, {"role": "assistant", "content": ""}],
}

SETTINGS = {
    "prompt": {"add_generation_prompt": True},
    "no prompt": {"add_generation_prompt": False},
    "tools": {"tools": [WEATHER, SEARCH], "add_generation_prompt": True},
    "plain tool": {"tools": [LOOKUP], "functions": "lookup(word, count)", "datetime": "2024-07-26", "add_generation_prompt": True},
    "no tools": {"tools": [], "documents": [], "functions": "", "datetime": "today"},
    "thinking": {"enable_thinking": True, "thinking": True, "reasoning_effort": "high", "add_generation_prompt": True},
    "no thinking, tools": {"enable_thinking": False, "thinking": False, "tools": [SEARCH], "add_generation_prompt": True},
    "date": {"date_string": "26 Jul 2024", "custom_tools": None, "builtin_tools": ["web_search"], "documents": [{"title": "A", "text": "b"}], "tools": [WEATHER]},
}


def cases():
    """All (name, variables), as Transformers would give the variables to a template."""
    from transformers.utils import chat_template_utils

    alias = getattr(chat_template_utils, "_alias_reasoning_fields", lambda messages: messages)
    for (name, messages), (setting, extra) in itertools.product(CONVERSATIONS.items(), SETTINGS.items()):
        variables = {
            "messages": alias(messages),
            "tools": None,
            "documents": None,
            "add_generation_prompt": False,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            **extra,
        }
        yield f"{name} / {setting}", variables


class Reference:
    """Transformers' renderer with the clock stopped."""

    def __init__(self):
        from transformers.utils import chat_template_utils

        class FixedTime(datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return cls.fromtimestamp(FIXED_TIME, tz)

        chat_template_utils.datetime = FixedTime
        self._compile = chat_template_utils._compile_jinja_template

    def render(self, template, variables):
        """The text, or None if the template refuses; and why."""
        try:
            return self._compile(template).render(**variables), ""
        except Exception as error:  # whatever a template raises is a refusal
            return None, f"{type(error).__name__}: {error}"


class Ours:
    """Our renderer as a process that answers line by line."""

    def __init__(self, program):
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def render(self, template, variables):
        request = {"template": template, "variables": variables, "time": FIXED_TIME}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], TIMEOUT_SECONDS)[0]:
            raise SystemExit("our renderer does not answer")
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("our renderer ended")
        reply = json.loads(line)
        return reply.get("text"), reply.get("error", "")


def collect(folder):
    """Puts the templates of the source package into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", scratch, PACKAGE], check=True)
        (archive,) = pathlib.Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as package:
            for member in package:
                path = pathlib.PurePosixPath(member.name)
                if member.isfile() and path.suffix == ".jinja" and path.parent.name == "templates":
                    (folder / path.name).write_bytes(package.extractfile(member).read())


def templates_of(folders, models):
    """All distinct (name, template)."""
    found = {}
    for name, path in models:
        import gguf

        field = gguf.GGUFReader(path).get_field("tokenizer.chat_template")
        if field is not None:
            found.setdefault(field.contents(), f"(model) {name}")
    for path in sorted(path for folder in folders for path in folder.glob("*.jinja")):
        found.setdefault(path.read_text(encoding="utf-8"), path.name)
    return sorted((name, template) for template, name in found.items())


def compare(template_name, template, reference, ours, show):
    """Counts (cases, same text, both refuse, different) of one template."""
    counts = [0, 0, 0, 0]
    for name, variables in cases():
        expected, why = reference.render(template, variables)
        text, error = ours.render(template, variables)
        counts[0] += 1
        if text == expected:
            counts[1 if text is not None else 2] += 1
            continue
        counts[3] += 1
        if counts[3] <= show:
            print(f"--- {template_name}: {name}")
            print(f"reference: {why or 'renders'}\nours: {error or 'renders'}")
            if text is not None and expected is not None:
                lines = difflib.unified_diff(expected.splitlines(True), text.splitlines(True), "reference", "ours", n=1)
                print("".join(itertools.islice((repr(line) + "\n" for line in lines), 12)))
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("models", nargs="*", help="name=path of GGUF files")
    parser.add_argument("--folder", action="append", type=pathlib.Path, default=[])
    parser.add_argument("--show", type=int, default=1, help="differences printed for each template")
    options = parser.parse_args()
    if not options.folder:
        cache = pathlib.Path(os.environ.get("ERGO_CACHE") or pathlib.Path.home() / ".cache" / "ergo")
        options.folder.append(cache / "templates")
        if not any(options.folder[0].glob("*.jinja")):
            collect(options.folder[0])
    templates = templates_of(options.folder, [model.split("=", 1) for model in options.models])
    reference, ours = Reference(), Ours(options.build / "template_render")
    totals, equal, rows = [0, 0, 0, 0], 0, []
    for name, template in templates:
        counts = compare(name, template, reference, ours, options.show)
        rows.append((name, counts))
        totals = [a + b for a, b in zip(totals, counts)]
        equal += counts[3] == 0
    print(f"{'template':<64} {'cases':>6} {'text':>6} {'refuse':>6} {'differ':>6}")
    for name, counts in [*rows, ("all", totals)]:
        print(f"{name[:64]:<64} " + " ".join(f"{count:>6}" for count in counts))
    print(f"{equal} of {len(rows)} distinct templates identical")
    return 0 if rows and equal == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
