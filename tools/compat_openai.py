#!/usr/bin/env python3
"""The openai package against a server: tools/compat_openai.py URL"""

import json
import sys

import openai

from compat_report import PERSON, WEATHER, Report, expect

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=300)
MESSAGES = [{"role": "user", "content": "Say hello."}]
TOOL = {"type": "function", "function": {"name": "weather", "description": "Weather of a city", "parameters": WEATHER}}


def models():
    expect(any(model.id == "compat" for model in client.models.list()), "the model is not listed")
    expect(client.models.retrieve("compat").id == "compat", "the model is not there")


def chat():
    reply = client.chat.completions.create(model="compat", messages=MESSAGES, max_tokens=16)
    expect(reply.choices[0].message.content, "no content")
    expect(reply.usage.completion_tokens > 0, "no usage")


def chat_stream():
    stream = client.chat.completions.create(
        model="compat", messages=MESSAGES, max_tokens=16, temperature=0, stream=True,
        stream_options={"include_usage": True})
    text, usage = "", None
    for chunk in stream:
        usage = chunk.usage or usage
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    whole = client.chat.completions.create(model="compat", messages=MESSAGES, max_tokens=16, temperature=0)
    expect(text == whole.choices[0].message.content, "the stream says something else")
    expect(usage is not None and usage.completion_tokens > 0, "no usage")


def choices():
    reply = client.chat.completions.create(
        model="compat", messages=MESSAGES, max_tokens=8, n=2, seed=1, temperature=1, logprobs=True, top_logprobs=2)
    expect(len(reply.choices) == 2, "not two choices")
    expect(len(reply.choices[0].logprobs.content[0].top_logprobs) == 2, "no logprobs")


def schema():
    reply = client.chat.completions.create(
        model="compat", messages=[{"role": "user", "content": "A person, as JSON."}], max_tokens=80,
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}})
    person = json.loads(reply.choices[0].message.content)
    expect(isinstance(person["age"], int), "not the schema's")


def tool():
    reply = client.chat.completions.create(
        model="compat", messages=[{"role": "user", "content": "Weather in Paris?"}], max_tokens=80, tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "weather"}})
    call = reply.choices[0].message.tool_calls[0]
    expect(call.function.name == "weather" and "city" in json.loads(call.function.arguments), "no call")
    again = client.chat.completions.create(
        model="compat", max_tokens=16, tools=[TOOL],
        messages=[{"role": "user", "content": "Weather in Paris?"}, reply.choices[0].message,
                  {"role": "tool", "tool_call_id": call.id, "content": "sunny"}])
    expect(again.choices[0].finish_reason, "no answer to the tool's result")


def tool_stream():
    stream = client.chat.completions.create(
        model="compat", messages=[{"role": "user", "content": "Weather in Paris?"}], max_tokens=80, tools=[TOOL],
        tool_choice="required", stream=True)
    name, arguments = "", ""
    for chunk in stream:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or []:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    expect(name == "weather" and "city" in json.loads(arguments), "no call")


def completions():
    reply = client.completions.create(model="compat", prompt="One, two,", max_tokens=4, stop=["\n"])
    expect(isinstance(reply.choices[0].text, str), "no text")
    text = "".join(chunk.choices[0].text for chunk in client.completions.create(
        model="compat", prompt="One, two,", max_tokens=4, stream=True) if chunk.choices)
    expect(text, "no stream")


def errors():
    try:
        client.chat.completions.create(model="absent-model", messages=MESSAGES)
    except openai.NotFoundError as error:
        expect(error.code == "model_not_found", error.code)
    try:
        client.chat.completions.create(model="compat", messages=MESSAGES, temperature=-1)
    except openai.BadRequestError:
        return
    raise AssertionError("a bad temperature was taken")


def responses():
    reply = client.responses.create(model="compat", input="Say hello.", max_output_tokens=16)
    expect(reply.output_text, "no text")
    again = client.responses.create(model="compat", input="Again.", max_output_tokens=16, previous_response_id=reply.id)
    expect(again.previous_response_id == reply.id, "not a continuation")
    expect(client.responses.retrieve(reply.id).id == reply.id, "not kept")
    client.responses.delete(reply.id)


def responses_stream():
    kinds = [event.type for event in client.responses.create(
        model="compat", input="Say hello.", max_output_tokens=16, stream=True)]
    expect(kinds[0] == "response.created", kinds[:1])
    expect(kinds[-1] in ("response.completed", "response.incomplete"), kinds[-1:])


def embeddings():
    reply = client.embeddings.create(model="compat", input=["a cat", "a dog"])
    expect(len(reply.data) == 2 and len(reply.data[0].embedding) > 8, "no embeddings")


report = Report("openai")
report.check("models", models)
report.check("chat", chat)
report.check("chat, streaming, same text", chat_stream)
report.check("chat, n, logprobs", choices)
report.check("chat, JSON schema", schema)
report.check("tools, with a result", tool)
report.check("tools, streaming", tool_stream)
report.check("completions, streaming and not", completions)
report.check("errors", errors)
report.check("responses, continued, kept, deleted", responses)
report.check("responses, streaming", responses_stream)
report.check("embeddings", embeddings)
report.end()
