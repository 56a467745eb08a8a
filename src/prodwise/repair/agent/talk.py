"""One conversation with a model, through pydantic-ai: the only module that knows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from prodwise.loop.repair import spending
from prodwise.model.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model

CHARS_PER_TOKEN_MAX = 16
"""An answer with more characters for each token that it may have is no honest one."""
PARTS_MAX = 64


@dataclass(frozen=True, slots=True)
class Tool:
    """schema: of its arguments, as JSON Schema."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a tool that a model asks for. arguments: as it wrote them, unchecked."""

    tool: str
    arguments: str | dict[str, Any] | None
    id: str


@dataclass(frozen=True, slots=True)
class Reply:
    """asked, answered: tokens, as the provider counts them or as they must be estimated."""

    text: str
    calls: tuple[Call, ...]
    asked: int
    answered: int


class NoAnswer(Exception):
    """The model gave no answer that can be used; the message says why."""


class Talk:
    """What was said so far, and the next request. A context manager: connections end with it."""

    def __init__(self, model: Model, instructions: str, prompt: str, tools: Sequence[Tool]) -> None:
        from pydantic_ai.messages import ModelRequest, UserPromptPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.tools import ToolDefinition

        defined = [
            ToolDefinition(name=one.name, description=one.description, parameters_json_schema=one.schema)
            for one in tools
        ]
        self._model = model
        self._parameters = ModelRequestParameters(function_tools=defined)
        self._said: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(prompt)], instructions=instructions)]
        self._instructions = instructions
        self._fixed = len(instructions) + sum(len(one.description) + len(str(one.schema)) for one in tools)
        self._chars = len(prompt)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Talk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.close()

    @property
    def prompt_tokens(self) -> int:
        """About what the next request takes, at most."""
        return spending.tokens_of(self._fixed + self._chars)

    def ask(self, answer_tokens: int, seconds: float) -> Reply:
        """Raises NoAnswer; TimeoutError once `seconds` have passed."""
        response = self._runner.run(self._asked(answer_tokens, seconds))
        chars = _chars(response)
        if chars > answer_tokens * CHARS_PER_TOKEN_MAX or len(response.parts) > PARTS_MAX:
            raise NoAnswer(f"the model's answer is larger than the {answer_tokens} tokens that it may have")
        estimate = self.prompt_tokens
        self._said.append(_sendable(response))
        self._chars += chars
        calls = tuple(Call(str(one.tool_name), one.args, one.tool_call_id) for one in response.tool_calls)
        asked, answered = response.usage.input_tokens, response.usage.output_tokens
        return Reply(response.text or "", calls, asked or estimate, answered or spending.tokens_of(chars))

    def answer(self, results: Sequence[tuple[Call, str]]) -> None:
        """What the tools said; every call of a reply must have its answer."""
        from pydantic_ai.messages import ModelRequest, ToolReturnPart

        parts = [ToolReturnPart(tool_name=call.tool, content=text, tool_call_id=call.id) for call, text in results]
        self._said.append(ModelRequest(parts=parts, instructions=self._instructions))
        self._chars += sum(len(text) for _, text in results)

    def tell(self, text: str) -> None:
        from pydantic_ai.messages import ModelRequest, UserPromptPart

        self._said.append(ModelRequest(parts=[UserPromptPart(text)], instructions=self._instructions))
        self._chars += len(text)

    async def _asked(self, answer_tokens: int, seconds: float) -> ModelResponse:
        from pydantic_ai.direct import model_request
        from pydantic_ai.settings import ModelSettings

        settings = ModelSettings(max_tokens=answer_tokens)
        request = model_request(
            self._model,
            self._said,
            model_settings=settings,
            model_request_parameters=self._parameters,
            instrument=False,
        )
        try:
            return await asyncio.wait_for(request, seconds)
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 — whatever a provider's library raises means one thing here
            raise NoAnswer(f"{type(error).__name__}: {str(error)[:2_000]}") from None


def model_of(name: str, key: str = "") -> Model:
    """The model behind "provider:name"; key: its API key, "" = where the provider's library looks for it. Raises ConfigError."""
    try:
        from pydantic_ai.exceptions import UserError
        from pydantic_ai.models import infer_model
        from pydantic_ai.providers import infer_provider_class
    except ImportError:
        raise ConfigError("repairs with a model need the agent extra", "pip install 'prodwise[agent]'") from None

    def provider(kind: str) -> Any:
        return infer_provider_class(kind)(api_key=key)  # type: ignore[call-arg]  # every provider that has keys takes it

    try:
        return infer_model(name, provider) if key else infer_model(name)
    except ImportError as error:
        raise ConfigError(
            f"the provider's library is missing: {str(error)[:300]}", "install it beside Prodwise"
        ) from None
    except (UserError, ValueError, TypeError) as error:
        raise ConfigError(
            f"model {name!r} cannot be used: {str(error)[:300]}", "see docs/repairs.md, With a model"
        ) from None


def _sendable(response: ModelResponse) -> ModelResponse:
    """The answer as it can be sent back: providers refuse a conversation in which a tool's arguments are no JSON object."""
    from pydantic_ai.messages import ToolCallPart

    parts = [
        replace(part, args="{}") if isinstance(part, ToolCallPart) and not _is_object(part.args) else part
        for part in response.parts
    ]
    return replace(response, parts=parts)


def _is_object(arguments: object) -> bool:
    if not isinstance(arguments, str):
        return arguments is None or isinstance(arguments, dict)
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _chars(response: ModelResponse) -> int:
    return sum(
        len(str(getattr(part, "content", "") or "")) + len(str(getattr(part, "args", "") or ""))
        for part in response.parts
    )
