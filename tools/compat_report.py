"""Checks that run one by one, a line of the table for each."""

import sys
import traceback


class Report:
    def __init__(self, client):
        self.client = client
        self.failed = False

    def check(self, name, action):
        try:
            action()
            result = "ok"
        except Exception as error:  # whatever a client raises is the result
            self.failed = True
            result = f"FAILED: {type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
            if "-v" in sys.argv:
                traceback.print_exc()
        print(f"{self.client:<16} {name:<44} {result}", flush=True)

    def end(self):
        sys.exit(1 if self.failed else 0)


WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}},
    "required": ["city"],
    "additionalProperties": False,
}

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0, "maximum": 150}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def expect(condition, what):
    if not condition:
        raise AssertionError(what)
