"""Chatting: load the model with its adapter and let it answer, through llama.cpp or transformers."""

from __future__ import annotations

import json
import os
import queue
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, overload

from ohlora.config import Profile, load_profile
from ohlora.llm.adapter import adapter_gguf_file, attach_adapter
from ohlora.llm.model_files import PACKAGED_MODELS, gguf_file, load_base_model
from ohlora.llm.prompt import TEMPLATES, Example, build_prompt, template_of
from ohlora.llm.reply_format import GRAMMAR, Reply, ReplyProgress, stream_reply


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen.

    temperature: 0 always takes the likeliest. top_p: share of probability that may be drawn from.
    repeat_penalty: divides the scores of tokens that were just used (1: off, since it also punishes repeating the
    user's own words, which the memory line must do). max_tokens: longest output.
    seed: None draws a new one every time. The same seed gives the same answer after the same history of calls: what
    llama.cpp still remembers of a prompt is not computed again, and that changes the last digits.
    """

    temperature: float = 0.4
    top_p: float = 0.9
    repeat_penalty: float = 1.0
    max_tokens: int = 120
    seed: int | None = 0


GREEDY = Sampling(temperature=0.0)


class Server(Protocol):
    """What runs the model: counts tokens and continues a prompt, piece by piece."""

    def count_tokens(self, text: str) -> int:
        """Number of tokens of a text with its turn tokens."""

    def generate(self, prompt: str, sampling: Sampling, grammar: str | None) -> Iterator[str]:
        """Pieces of the continuation, up to the end of the turn."""


class LlamaCppServer:
    """llama.cpp inside this process (xllamacpp): base model and adapter as GGUF, on the CPU.

    The port that it opens listens on this machine only. A prompt that begins like the last one is not read again.
    """

    def __init__(self, model: str, adapter: str | None, context: int = 1024, threads: int = 1, slots: int = 1) -> None:
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(gguf_file(model))
        parameters.n_ctx = context * slots
        parameters.n_parallel = slots
        parameters.cpuparams.n_threads = threads
        # Reading the prompt is a short burst and scales, as long as the other half of the cores is left alone.
        parameters.cpuparams_batch.n_threads = max(threads, min((os.cpu_count() or 1) // 2, 4))
        parameters.verbosity = 0
        parameters.warmup = False
        if adapter:
            lora = xllamacpp.CommonAdapterLoraInfo()
            lora.path, lora.scale = str(adapter_gguf_file(adapter)), 1.0
            parameters.lora_adapters = [lora]
        template = TEMPLATES[PACKAGED_MODELS[model].template]
        self.start, self.end = template.start, template.end
        self._server = xllamacpp.Server(parameters)

    def count_tokens(self, text: str) -> int:
        """Number of tokens of a text with its turn tokens."""
        body = json.dumps({"content": text, "parse_special": True, "add_special": False}).encode()
        address = f"{self._server.listening_address}/tokenize"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return len(json.load(answer)["tokens"])

    def generate(self, prompt: str, sampling: Sampling, grammar: str | None = GRAMMAR) -> Iterator[str]:
        """Pieces of the continuation. Leaving the loop early stops the model.

        Raises:
            RuntimeError: llama.cpp refused the request.
        """
        request: dict[str, Any] = {
            "prompt": prompt.removeprefix(self.start),  # llama.cpp adds it; twice, it changes every answer
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "repeat_penalty": sampling.repeat_penalty,
            "repeat_last_n": sampling.max_tokens,
            "cache_prompt": True,
            "stop": [self.end],
            "stream": True,
        }
        if sampling.seed is not None:
            request["seed"] = sampling.seed
        if grammar:
            request["grammar"] = grammar
        pieces: queue.Queue[str | Exception | None] = queue.Queue()
        stopped = threading.Event()

        def receive(chunk: dict[str, Any]) -> bool:
            if "error" in chunk or chunk.get("code", 200) != 200:
                pieces.put(RuntimeError(f"llama.cpp refused the request: {chunk}"))
            elif chunk.get("choices"):
                pieces.put(chunk["choices"][0]["text"])
            return stopped.is_set()

        def run() -> None:
            try:
                self._server.handle_completions(request, receive)
            except Exception as error:  # handed to the thread that waits
                pieces.put(error)
            pieces.put(None)

        worker = threading.Thread(target=run, daemon=True)
        worker.start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                if piece:
                    yield piece
        finally:
            stopped.set()
            worker.join()


class TransformersServer:
    """transformers with the PEFT adapter: any model of the hub, with or without a GPU. Grammars are not enforced."""

    def __init__(self, profile: Profile, adapter: str | None, end: str | None) -> None:
        import torch

        from ohlora.config import device

        torch.set_num_threads(max(1, profile.llm.threads))
        model, self.tokenizer = load_base_model(profile)
        self.model = (attach_adapter(model, adapter) if adapter else model).to(device()).eval()
        self.end = end or self.tokenizer.eos_token

    def count_tokens(self, text: str) -> int:
        """Number of tokens of a text with its turn tokens."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def generate(self, prompt: str, sampling: Sampling, grammar: str | None = None) -> Iterator[str]:
        """Pieces of the continuation; the grammar is ignored. Leaving the loop early stops the model."""
        import torch
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        if sampling.seed is not None:
            torch.manual_seed(sampling.seed)
        inputs = self.tokenizer(prompt, add_special_tokens=False, return_tensors="pt").to(self.model.device)
        stopped = threading.Event()

        def stop(ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
            return torch.full(ids.shape[:1], stopped.is_set(), dtype=torch.bool, device=ids.device)

        streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
        options: dict[str, Any] = {"do_sample": sampling.temperature > 0, "repetition_penalty": sampling.repeat_penalty}
        if sampling.temperature > 0:
            options |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
        options |= {
            "input_ids": inputs["input_ids"],
            "attention_mask": inputs["attention_mask"],  # a tokenizer may return more than a model takes
            "max_new_tokens": sampling.max_tokens,
            "eos_token_id": self._ends(),
            "streamer": streamer,
            "stopping_criteria": StoppingCriteriaList([stop]),
        }
        failure: list[Exception] = []

        def run() -> None:
            try:
                with torch.inference_mode():
                    self.model.generate(**options)
            except Exception as error:  # handed to the thread that waits
                failure.append(error)
                streamer.end()

        worker = threading.Thread(target=run, daemon=True)
        worker.start()
        try:
            yield from (piece for piece in streamer if piece)
        finally:
            stopped.set()
            worker.join()
        if failure:
            raise failure[0]

    def _ends(self) -> list[int]:
        """Tokens that end a turn: the tokenizer's, and those that the model itself names (Llama 3 has two)."""
        own = self.model.generation_config.eos_token_id
        own = own if isinstance(own, list) else [own]
        return sorted({self.tokenizer.convert_tokens_to_ids(self.end), *own} - {None})


class LanguageModel:
    """Oh-LoRA's voice: conversation in, Reply out, whole or while it is being written."""

    def __init__(
        self,
        server: Server,
        template: str | Callable[[list[dict[str, str]]], str],
        context: int,
        sampling: Sampling | None = None,
        slots: int = 1,
    ) -> None:
        self.server, self.template, self.context, self.slots = server, template, context, slots
        self.sampling = sampling or Sampling()

    @overload
    def reply(
        self,
        messages: Sequence[dict[str, str]],
        memories: Sequence[str] = ...,
        now: datetime | None = ...,
        stream: Literal[False] = ...,
        sampling: Sampling | None = ...,
        examples: Sequence[Example] = ...,
    ) -> Reply: ...

    @overload
    def reply(
        self,
        messages: Sequence[dict[str, str]],
        memories: Sequence[str],
        now: datetime | None,
        stream: Literal[True],
        sampling: Sampling | None = ...,
        examples: Sequence[Example] = ...,
    ) -> Iterator[ReplyProgress]: ...

    def reply(
        self,
        messages: Sequence[dict[str, str]],
        memories: Sequence[str] = (),
        now: datetime | None = None,
        stream: bool = False,
        sampling: Sampling | None = None,
        examples: Sequence[Example] = (),
    ) -> Reply | Iterator[ReplyProgress]:
        """Answer a conversation.

        Args:
            messages: ``[{"role": "user" | "assistant", "content": str}, …]``; the last is the user's, 1 to 4,000
                characters. Old turns are left out when the context is full.
            memories: recalled memories, ``"key: value"``, best first.
            now: the time of this turn; she knows no other clock.
            stream: False → Reply. True → iterator of ReplyProgress, the last one carrying the Reply. The text of the
                stream is the text of the Reply.
            sampling: instead of the model's own.
            examples: written dialogues about similar messages, the nearest first (ohlora.rag.DialogueExamples).

        Raises:
            ValueError: no, empty, too long or malformed messages (before anything is generated).
        """
        sampling = sampling or self.sampling
        prompt = build_prompt(
            messages,
            memories,
            now,
            self.template,
            count_tokens=self.server.count_tokens,
            limit=self.context - sampling.max_tokens,
            examples=examples,
        )
        progress = stream_reply(self._pieces(prompt, sampling))
        if stream:
            return progress
        *_, last = progress
        return last.reply

    def generate(self, prompt: str, sampling: Sampling | None = None, grammar: str | None = GRAMMAR) -> str:
        """The raw continuation of a whole prompt (see ohlora.llm.prompt)."""
        return "".join(self.server.generate(prompt, sampling or self.sampling, grammar))

    def generate_many(
        self, prompts: Sequence[str], samplings: Sequence[Sampling], grammar: str | None = GRAMMAR
    ) -> Iterator[str]:
        """Raw continuations in order, as many at a time as there are slots: cheaper than one by one."""
        with ThreadPoolExecutor(self.slots) as pool:
            yield from pool.map(lambda pair: self.generate(*pair, grammar), zip(prompts, samplings, strict=True))

    def _pieces(self, prompt: str, sampling: Sampling) -> Iterator[str]:
        return self.server.generate(prompt, sampling, GRAMMAR)


def load_llm(
    profile: Profile | str = "embedded", adapter: str | None = "", sampling: Sampling | None = None, slots: int = 1
) -> LanguageModel:
    """The profile's model with its adapter, ready to chat.

    Args:
        adapter: name of another adapter; None: the base model alone.
        slots: answers at a time in generate_many (llama.cpp only); a chat needs one.

    Raises:
        ModelFilesError: the model's package is missing or changed. WeightsError: the adapter is. ValueError: unknown
            server, or one that cannot serve this model.
    """
    profile = load_profile(profile)
    section = profile.llm
    adapter = section.adapter if adapter == "" else adapter
    packaged = PACKAGED_MODELS.get(section.model)
    if section.server == "llama.cpp":
        if packaged is None:
            raise ValueError(
                f"llm.server='llama.cpp' serves packaged models only; {section.model!r} needs transformers"
            )
        server: Server = LlamaCppServer(section.model, adapter, section.context, section.threads, slots)
        return LanguageModel(server, packaged.template, section.context, sampling, slots)
    if section.server != "transformers":
        raise ValueError(f"llm.server={section.server!r} is unknown; allowed: llama.cpp, transformers")
    server = TransformersServer(profile, adapter, TEMPLATES[packaged.template].end if packaged else None)
    template = template_of(profile, server.tokenizer)
    return LanguageModel(server, template, section.context, sampling)
