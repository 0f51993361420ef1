#!/usr/bin/env python3
"""The ollama package against a server: tools/compat_ollama.py URL"""

import json
import sys

import ollama

from compat_report import PERSON, WEATHER, Report, expect

client = ollama.Client(host=sys.argv[1], timeout=300)
MESSAGES = [{"role": "user", "content": "Say hello."}]
OPTIONS = {"num_predict": 16, "temperature": 0}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Weather of a city", "parameters": WEATHER}}


def chat():
    reply = client.chat(model="compat", messages=MESSAGES, options=OPTIONS)
    expect(reply.message.content and reply.done and reply.eval_count > 0, "no text or counts")
    text = "".join(part.message.content or "" for part in
                   client.chat(model="compat", messages=MESSAGES, options=OPTIONS, stream=True))
    expect(text == reply.message.content, "the stream says something else")


def generate():
    reply = client.generate(model="compat", prompt="Say hello.", options=OPTIONS)
    expect(reply.response, "no text")
    text = "".join(part.response for part in
                   client.generate(model="compat", prompt="Say hello.", options=OPTIONS, stream=True))
    expect(text == reply.response, "the stream says something else")


def schema():
    reply = client.chat(model="compat", messages=[{"role": "user", "content": "A person, as JSON."}], format=PERSON,
                        options={"num_predict": 80})
    expect(isinstance(json.loads(reply.message.content)["age"], int), "not the schema's")


def tools():
    reply = client.chat(model="compat", messages=[{"role": "user", "content": "Weather in Paris?"}], tools=[TOOL],
                        options={"num_predict": 80})
    expect(reply.message.content or reply.message.tool_calls, "neither text nor a call")


def models():
    expect(any(model.model.startswith("compat") for model in client.list().models), "the model is not listed")
    expect(client.show("compat").details is not None, "nothing to show")


def embed():
    expect(len(client.embed(model="compat", input=["a", "b"]).embeddings) == 2, "no embeddings")


def errors():
    try:
        client.chat(model="absent-model", messages=MESSAGES)
    except ollama.ResponseError as error:
        expect(error.status_code == 404, error.status_code)
        return
    raise AssertionError("an absent model answered")


report = Report("ollama")
report.check("chat, streaming and not", chat)
report.check("generate, streaming and not", generate)
report.check("chat, JSON schema", schema)
report.check("tools", tools)
report.check("list, show", models)
report.check("embed", embed)
report.check("errors", errors)
report.end()
