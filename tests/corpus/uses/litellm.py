"""Completions asked of a server of its own, streamed, counted in tokens, priced, retried and routed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from http.server import BaseHTTPRequestHandler

from uses import helpers

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
logging.getLogger("LiteLLM").setLevel(logging.ERROR)  # it logs with times

import litellm  # noqa: E402

SEEN: list[str] = []


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    request = json.loads(body)
    SEEN.append(request["model"])
    if request["model"] == "limited":
        return (
            429,
            {"Content-Type": "application/json"},
            b'{"error": {"message": "slow down", "type": "rate_limit"}}',
        )
    text = f"answer to {request['messages'][-1]['content']}"
    if request.get("stream"):
        chunks = [
            {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "delta": {"content": word + " "}, "finish_reason": None}],
            }
            for word in text.split()
        ]
        chunks.append({**chunks[0], "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        return (
            200,
            {"Content-Type": "text/event-stream"},
            ("".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n").encode(),
        )
    document = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}  # fmt: skip
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def main() -> None:
    litellm.telemetry = False
    messages = [{"role": "user", "content": "question"}]
    with helpers.http(answer) as address:
        how = {"api_base": f"{address}/v1", "api_key": "key", "num_retries": 0}
        found = litellm.completion("openai/gpt-x", messages, **how)
        print(found.choices[0].message.content, found.usage.total_tokens)
        print(
            "".join(
                part.choices[0].delta.content or ""
                for part in litellm.completion("openai/gpt-x", messages, stream=True, **how)
            )
        )
        print(asyncio.run(litellm.acompletion("openai/gpt-y", messages, **how)).choices[0].finish_reason)
        try:
            litellm.completion("openai/limited", messages, max_retries=0, **how)
        except litellm.RateLimitError as error:
            print(type(error).__name__, error.status_code)
        router = litellm.Router([{"model_name": "any", "litellm_params": {"model": "openai/routed", **how}}])
        print(router.completion("any", messages).choices[0].message.content, SEEN)
    print(
        len(litellm.model_cost) > 500,
        litellm.get_llm_provider("claude-3-opus-20240229")[1],
        litellm.token_counter("gpt-4o", text="some words to count") > 3,
    )
    print(
        litellm.encode("gpt-4", "hello world")[:3] != [],
        litellm.completion_cost(model="gpt-4o", prompt="a", completion="b") > 0,
    )
    print(
        litellm.supports_function_calling("gpt-4o"),
        litellm.get_supported_openai_params("gpt-4o")[:2],
        litellm.validate_environment("gpt-4o")["missing_keys"],
    )
    print(
        litellm.utils.trim_messages([{"role": "user", "content": "x " * 50}], "gpt-4o", max_tokens=20)[0][
            "role"
        ]
    )
