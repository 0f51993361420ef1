#!/usr/bin/env python3
"""The langchain-openai package against a server: tools/compat_langchain.py URL"""

import sys

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

from compat_report import Report, expect

BASE = sys.argv[1] + "/v1"
model = ChatOpenAI(model="compat", base_url=BASE, api_key="none", temperature=0, max_tokens=80, max_retries=0, timeout=300)


class Person(BaseModel):
    """A person."""

    name: str = Field(max_length=20)
    age: int = Field(ge=0, le=150)


@tool
def weather(city: str) -> str:
    """Weather of a city."""
    return "sunny"


def invoke():
    reply = model.invoke("Say hello.")
    expect(reply.content and reply.usage_metadata["output_tokens"] > 0, "no text or usage")
    expect("".join(chunk.content for chunk in model.stream("Say hello.")) == reply.content,
           "the stream says something else")


def batch():
    expect(all(reply.content for reply in model.batch(["One.", "Two.", "Three."])), "no text")


def structured():
    person = model.with_structured_output(Person, method="json_schema").invoke("A person.")
    expect(isinstance(person, Person), "no person")


def tools():
    reply = model.bind_tools([weather], tool_choice="weather").invoke("Weather in Paris?")
    expect(reply.tool_calls[0]["name"] == "weather" and "city" in reply.tool_calls[0]["args"], "no call")


def embeddings():
    vectors = OpenAIEmbeddings(model="compat", base_url=BASE, api_key="none", check_embedding_ctx_length=False,
                               max_retries=0).embed_documents(["a", "b"])
    expect(len(vectors) == 2, "no embeddings")


report = Report("langchain-openai")
report.check("invoke, stream", invoke)
report.check("batch", batch)
report.check("structured output", structured)
report.check("tools", tools)
report.check("embeddings", embeddings)
report.end()
