#!/usr/bin/env python3
"""A gRPC client that knows the service by reflection alone: tools/compat_grpc.py HOST:PORT"""

import sys

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from compat_report import Report, expect

channel = grpc.insecure_channel(sys.argv[1])
database = ProtoReflectionDescriptorDatabase(channel)
pool = DescriptorPool(database)


def call(service, name, request, streams=False, **options):
    method = pool.FindServiceByName(f"ergo.v1.{service}").FindMethodByName(name)
    Request, Reply = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    make = channel.unary_stream if streams else channel.unary_unary
    stub = make(f"/ergo.v1.{service}/{name}", request_serializer=Request.SerializeToString,
                response_deserializer=Reply.FromString)
    return stub(json_format.ParseDict(request, Request()), timeout=options.pop("timeout", 300), **options)


MESSAGES = [{"role": "user", "content": "Say hello."}]


def services():
    expect({"ergo.v1.Generation", "ergo.v1.Sessions", "ergo.v1.Traces"} <= set(database.get_services()),
           "services are missing")


def health():
    reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    expect(reply.status == health_pb2.HealthCheckResponse.SERVING, "not serving")


def chat():
    request = {"messages": MESSAGES, "max_tokens": 16, "temperature": 0}
    reply = call("Generation", "Chat", request)
    chunks = list(call("Generation", "ChatStream", request, streams=True))
    text = "".join(choice.delta.content for chunk in chunks for choice in chunk.choices)
    expect(text and text == reply.choices[0].message.content, "the stream says something else")
    expect(chunks[-1].usage.completion_tokens > 0, "no usage")


def generate():
    request = {"prompt": "Say hello.", "max_tokens": 16, "temperature": 0}
    reply = call("Generation", "Generate", request)
    text = "".join(part.output for part in call("Generation", "GenerateStream", request, streams=True) if not part.done)
    expect(reply.output and text == reply.output, "the stream says something else")


def deadline():
    try:
        list(call("Generation", "ChatStream", {"messages": MESSAGES, "max_tokens": 100000}, streams=True, timeout=0.3))
    except grpc.RpcError as error:
        expect(error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error.code())
        return
    # A model that came to its end before the deadline is no failure.


def sessions():
    session = call("Sessions", "Create", {"prompt": "One, two,"})
    branches = call("Sessions", "Extend", {"id": session.id, "max_tokens": 4, "branches": [{"n": 2}]}).branches
    expect(len(branches) == 2, "not two branches")
    scores = call("Sessions", "Score", {"id": session.id, "continuations": [" three", " cat"]}).scores
    expect(scores[0].logprob < 0, "no score")
    call("Sessions", "Drop", {"id": session.id})


def traces():
    call("Traces", "List", {"limit": 3})


def errors():
    for request, code in (({"messages": MESSAGES, "model": "absent-model"}, grpc.StatusCode.NOT_FOUND),
                          ({"messages": []}, grpc.StatusCode.INVALID_ARGUMENT)):
        try:
            call("Generation", "Chat", request)
        except grpc.RpcError as error:
            expect(error.code() == code, error.code())
            continue
        raise AssertionError("a wrong request was answered")


report = Report("grpc reflection")
report.check("services", services)
report.check("health", health)
report.check("chat, streaming and not", chat)
report.check("generate, streaming and not", generate)
report.check("a deadline", deadline)
report.check("sessions", sessions)
report.check("traces", traces)
report.check("errors", errors)
report.end()
