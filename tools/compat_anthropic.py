#!/usr/bin/env python3
"""The anthropic package against a server: tools/compat_anthropic.py URL"""

import sys

import anthropic

from compat_report import WEATHER, Report, expect

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=300)
MESSAGES = [{"role": "user", "content": "Say hello."}]
TOOL = {"name": "weather", "description": "Weather of a city", "input_schema": WEATHER}


def message():
    reply = client.messages.create(model="compat", max_tokens=16, messages=MESSAGES, system="Be brief.")
    expect(reply.content[0].text and reply.usage.output_tokens > 0, "no text or usage")


def stream():
    with client.messages.stream(model="compat", max_tokens=16, messages=MESSAGES, temperature=0) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    expect(text == final.content[0].text, "the stream says something else")
    expect(final.stop_reason in ("end_turn", "max_tokens"), final.stop_reason)


def tool():
    reply = client.messages.create(
        model="compat", max_tokens=80, tools=[TOOL], tool_choice={"type": "tool", "name": "weather"},
        messages=[{"role": "user", "content": "Weather in Paris?"}])
    call = next(block for block in reply.content if block.type == "tool_use")
    expect("city" in call.input and reply.stop_reason == "tool_use", "no call")
    again = client.messages.create(
        model="compat", max_tokens=16, tools=[TOOL],
        messages=[{"role": "user", "content": "Weather in Paris?"}, {"role": "assistant", "content": reply.content},
                  {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]}])
    expect(again.stop_reason, "no answer to the tool's result")


def count():
    expect(client.messages.count_tokens(model="compat", messages=MESSAGES).input_tokens > 0, "no count")


def errors():
    try:
        client.messages.create(model="compat", max_tokens=0, messages=MESSAGES)
    except anthropic.BadRequestError:
        return
    raise AssertionError("max_tokens 0 was taken")


report = Report("anthropic")
report.check("messages", message)
report.check("messages, streaming, same text", stream)
report.check("tools, with a result", tool)
report.check("count_tokens", count)
report.check("errors", errors)
report.end()
