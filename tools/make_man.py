#!/usr/bin/env python3
"""Writes docs/man/ergo.1 from the program's own help.

  tools/make_man.py PROGRAM          write it
  tools/make_man.py PROGRAM --check  exit status 1 if it would change
"""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "man" / "ergo.1"


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def roff(text):
    """Plain text for troff: backslashes, dashes that are typed, no line that looks like a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def command_section(program, name):
    lines = [f".SS ergo {roff(name)}", ".nf", roff(output(program, name, "--help-all")).rstrip(), ".fi"]
    return "\n".join(lines)


def page(program):
    overview = output(program, "--help")
    names = re.findall(r"^  ([a-z]+)  ", overview, flags=re.M)
    version = output(program, "--version").split()[1]
    parts = [
        f'.TH ERGO 1 "" "ergo {version}" "User commands"',
        ".SH NAME", "ergo \\- language models and reasoning on this machine",
        ".SH SYNOPSIS", ".B ergo", ".I COMMAND", "[options]",
        ".SH DESCRIPTION", ".nf", roff(overview).rstrip(), ".fi",
        ".SH COMMANDS", *[command_section(program, name) for name in names],
        ".SH ENVIRONMENT",
        "Each setting of ergo serve may be given as ERGO_ and its name in capitals: ERGO_PORT,",
        "ERGO_API_KEYS. ERGO_MODEL names the model for all commands, ERGO_HOME the folder of traces,",
        "ERGO_REDIS_SECRET the secret with which answers in Redis are sealed.",
        ".SH FILES", ".TP", "$XDG_RUNTIME_DIR/ergo/PORT.sock",
        "how ergo ps and ergo stop reach the server at that port",
        ".TP", "/etc/ergo/serve.toml", "settings of the service",
        ".SH SEE ALSO", ".BR systemctl (1)",
    ]
    return "\n".join(parts) + "\n"


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    text = page(sys.argv[1])
    if sys.argv[2:]:
        if PAGE.is_file() and PAGE.read_text() == text:
            return 0
        print(f"{PAGE} is not what the help says: tools/make_man.py {sys.argv[1]}", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
