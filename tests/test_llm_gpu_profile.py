"""The path of the profile ``gpu``, walked on the CPU: the same loaders, trainers and server with tiny random models.

The models are made here, in the architectures that the profile and the book name: a Llama with heads that do not
divide its width (kanana-1.5-2.1b) and one with two end tokens (Midm-2.0), Qwen3 with a template that can think aloud,
and an XLM-RoBERTa for the embeddings (KURE-v1, bge-m3). Only their size, 4-bit loading and CUDA stay untested.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from ohlora.config import Profile, load_profile
from ohlora.evaluation.llm import loss_per_character
from ohlora.llm import Sampling, generation, load_llm
from ohlora.llm.adapter import LoraSettings, save_adapter
from ohlora.llm.backends import load_trainable
from ohlora.llm.dialogues import load_dialogues
from ohlora.llm.kto import KtoSettings, build_kto_trainer, load_merged, sample_rows
from ohlora.llm.model_files import allow_uneven_heads, load_base_model
from ohlora.llm.prompt import Example, template_of
from ohlora.llm.sft import SftSettings, rows_for, train_sft
from ohlora.rag import load_embedder
from ohlora.weights import load_weights

DIALOGUES = load_dialogues()
LORA = LoraSettings(rank=2, alpha=4)
CARD = {"data": "random", "seed": 0, "command": "none", "metrics": {}, "licence": "none"}
SHAPE = {"num_hidden_layers": 2, "intermediate_size": 96, "max_position_embeddings": 2048}

HEADERS = (
    "{{ '<|begin_of_text|>' }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n'"
    " + m['content'] + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
THINKING = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{% endif %}"
)


def save_tokenizer(folder: Path, specials: list[str], template: str, start: str | None, end: str) -> int:
    """A byte-level BPE of 600 tokens, trained on the dialogues, with a chat template; its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator([dialogue.reply for dialogue in DIALOGUES[:200]], trainer)
    if start:
        core.post_processor = processors.TemplateProcessing(
            single=f"{start} $A", special_tokens=[(start, core.token_to_id(start))]
        )
    wrapped = PreTrainedTokenizerFast(tokenizer_object=core, bos_token=start, eos_token=end, pad_token=end)
    wrapped.chat_template = template
    wrapped.save_pretrained(folder)
    return core.get_vocab_size()


def kanana(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    headers = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
    size = save_tokenizer(folder, headers, HEADERS, "<|begin_of_text|>", "<|eot_id|>")
    shape = {"num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 16}
    allow_uneven_heads()
    config = LlamaConfig(vocab_size=size, hidden_size=64, bos_token_id=0, eos_token_id=1, **SHAPE, **shape)
    LlamaForCausalLM(config).save_pretrained(folder)
    refuse_uneven_heads()


def refuse_uneven_heads() -> None:
    """Put transformers' check back, which allow_uneven_heads takes away."""
    from transformers import LlamaConfig

    if LlamaConfig.validate_architecture not in LlamaConfig.__class_validators__:
        LlamaConfig.__class_validators__.insert(0, LlamaConfig.validate_architecture)


def midm(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    headers = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
    size = save_tokenizer(folder, headers, HEADERS, "<|begin_of_text|>", "<|end_of_text|>")
    shape = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=size, hidden_size=64, bos_token_id=0, eos_token_id=[1, 2], **SHAPE, **shape)
    LlamaForCausalLM(config).save_pretrained(folder)


def qwen3(folder: Path) -> None:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    size = save_tokenizer(folder, ["<|im_start|>", "<|im_end|>"], THINKING, None, "<|im_end|>")
    shape = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": True}
    config = Qwen3Config(vocab_size=size, hidden_size=64, bos_token_id=None, eos_token_id=1, **SHAPE, **shape)
    Qwen3ForCausalLM(config).save_pretrained(folder)


MODELS = {"kanana": kanana, "midm": midm, "qwen3": qwen3}
every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Profile]:
    """The profile gpu, with each tiny model's folder in the place of a name on the hub."""
    made, original = {}, load_profile("gpu")
    for name, save in MODELS.items():
        folder = tmp_path_factory.mktemp(name)
        torch.manual_seed(0)
        save(folder)
        llm = replace(original.llm, model=str(folder), threads=torch.get_num_threads())
        made[name] = replace(original, llm=llm)
    return made


def test_uneven_heads_are_refused_by_transformers_and_read_by_our_loader(profiles: dict[str, Profile]) -> None:
    from transformers import AutoConfig

    refuse_uneven_heads()
    folder = profiles["kanana"].llm.model
    with pytest.raises(Exception, match="not a multiple"):  # the day it does not, allow_uneven_heads can go
        AutoConfig.from_pretrained(folder)
    model, _ = load_base_model(profiles["kanana"])
    assert model.config.hidden_size % model.config.num_attention_heads, "the test has an uneven model"
    assert model.model.layers[0].self_attn.q_proj.weight.shape == (3 * 16, 64)
    assert model.dtype == torch.bfloat16


@every_model
def test_prompts_are_read_in_training_as_in_the_chat(profiles: dict[str, Profile], name: str) -> None:
    _, tokenizer = load_base_model(profiles[name])
    template = template_of(profiles[name], tokenizer)
    dialogue = DIALOGUES[0]
    (row,) = rows_for(profiles[name], tokenizer, [dialogue])
    served = tokenizer(dialogue.prompt(template), add_special_tokens=False)["input_ids"]
    assert tokenizer(row["prompt"])["input_ids"] == served, "trl adds the start token; the server does not"
    assert row["completion"] == dialogue.target() + tokenizer.eos_token
    assert dialogue.messages[-1]["content"] in row["prompt"] and ("<think>" in row["prompt"]) == (name == "qwen3")
    examples = {dialogue.id: [Example("hello there", "happy", "hi you")]}
    assert "hello there" in rows_for(profiles[name], tokenizer, [dialogue], examples)[0]["prompt"]


@every_model
def test_from_the_loader_over_one_step_to_the_chat(
    profiles: dict[str, Profile], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = profiles[name]
    model, tokenizer, backend = load_trainable(profile, LORA)
    assert torch.cuda.is_available() or (backend.name == "peft" and "CUDA" in backend.reason)
    rows = rows_for(profile, tokenizer, DIALOGUES[:4])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    settings = SftSettings(
        max_steps=1, batch_size=2, learning_rate=1e-2, warmup_steps=0, max_length=512, logging_steps=1
    )
    result = train_sft(model, tokenizer, rows, settings, tmp_path / "sft", quiet=True)
    assert np.isfinite(result.history[0]["loss"]) and result.history[0]["loss"] > 3, "of 600 random tokens"
    moved = {key for key, value in result.model.state_dict().items() if not torch.equal(value, before[key])}
    assert moved and all("lora_B" in key for key in moved), "A stands still while B is zero"

    path = save_adapter(result.model, LORA, tmp_path / "adapter.safetensors", profile.llm.model, CARD)
    assert load_weights(path)[1]["base_model"] == profile.llm.model and not path.with_suffix(".gguf").exists()
    speaker = load_llm(profile, adapter=str(path), sampling=Sampling(max_tokens=12))
    messages = [{"role": "user", "content": "안녕, 오늘 뭐 했어?"}]
    reply = speaker.reply(messages, ["좋아하는 음식: 떡볶이"], datetime(2026, 3, 2, 20, 10))
    assert reply.raw and not reply.valid, "what random weights say is repaired, not shown"
    *parts, last = speaker.reply(messages, (), None, stream=True)
    assert last.reply is not None and all(last.text.startswith(part.text) for part in parts)
    with pytest.raises(ValueError, match="more than"):
        speaker.reply([{"role": "user", "content": "뷁" * 3000}])

    merged, tokenizer = load_merged(profile, path, LORA)
    speaker.template = template_of(profile, tokenizer)
    found = sample_rows(speaker, DIALOGUES[:2], tokenizer.eos_token, Sampling(1.1, 1.0, max_tokens=8))
    assert {row.label for row in found} == {True, False}
    assert not found[0].prompt.startswith("<|begin_of_text|>"), "left to the tokenizer, as in SFT"
    trainer = build_kto_trainer(merged, tokenizer, found, KtoSettings(batch_size=2, steps=1), tmp_path, quiet=True)
    trainer.train()
    assert np.isfinite(trainer.state.log_history[0]["loss"])


@every_model
def test_loss_per_character_of_a_hub_model(profiles: dict[str, Profile], name: str) -> None:
    model, tokenizer = load_base_model(profiles[name])
    losses = loss_per_character(model, tokenizer, rows_for(profiles[name], tokenizer, DIALOGUES[:2]))
    assert losses.shape == (2,) and np.isfinite(losses).all() and (losses > 0).all()


class Told:
    """A hook that makes a model write the tokens that it is told to, whatever its weights say."""

    def __init__(self, tokens: list[int]) -> None:
        self.tokens, self.steps = tokens, 0

    def __call__(self, model, arguments, output) -> None:
        output.logits[:, -1] = 0
        output.logits[:, -1, self.tokens[self.steps % len(self.tokens)]] = 50
        self.steps += 1


def test_a_reply_ends_at_either_end_token_and_when_nobody_listens(profiles: dict[str, Profile]) -> None:
    server = generation.TransformersServer(profiles["midm"], None, None)
    assert server.end == "<|end_of_text|>"
    letters = server.tokenizer("happy 0.8", add_special_tokens=False)["input_ids"]
    for end in ("<|end_of_text|>", "<|eot_id|>"):
        told = [*letters, server.tokenizer.convert_tokens_to_ids(end), *letters]
        hook = server.model.register_forward_hook(Told(told))
        assert "".join(server.generate("x", Sampling(0.0, max_tokens=40))) == "happy 0.8", end
        hook.remove()
    endless = Told(letters)
    server.model.register_forward_hook(endless)
    pieces = server.generate("x", Sampling(0.0, max_tokens=1500))
    next(pieces)
    pieces.close()
    assert 0 < endless.steps < 1000, "whoever stops listening stops the model"


def xlm_roberta(folder: Path) -> int:
    """A tiny bge-type embedder (first token, length 1) in the folder layout of sentence-transformers; its width."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=500, special_tokens=specials, unk_token="<unk>", show_progress=False)
    core.train_from_iterator([dialogue.reply for dialogue in DIALOGUES[:200]], trainer)
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", core.token_to_id("<s>")), ("</s>", core.token_to_id("</s>"))]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    inputs = ["input_ids", "attention_mask"]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, model_input_names=inputs, **names)
    tokenizer.model_max_length = 128
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=core.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=140, type_vocab_size=1, initializer_range=0.3,
    )  # fmt: skip
    XLMRobertaModel(config).save_pretrained(folder)
    return config.hidden_size


def transformers_only() -> types.ModuleType:
    """In the place of sentence-transformers, where it is not installed: the same calls, with transformers alone."""
    from transformers import AutoModel, AutoTokenizer

    class SentenceTransformer:
        def __init__(self, name: str) -> None:
            self.tokenizer, self.network = AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name).eval()

        def get_sentence_embedding_dimension(self) -> int:
            return self.network.config.hidden_size

        def encode(self, sentences: list[str], show_progress_bar: bool) -> np.ndarray:
            batch = self.tokenizer(sentences, padding=True, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                return self.network(**batch).last_hidden_state[:, 0].numpy()

    module = types.ModuleType("sentence_transformers")
    module.SentenceTransformer = SentenceTransformer
    return module


def test_the_embedder_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("sentence_transformers") is None:
        monkeypatch.setitem(sys.modules, "sentence_transformers", transformers_only())
    width = xlm_roberta(tmp_path)
    profile = load_profile("gpu")
    embedder = load_embedder(replace(profile, embeddings=replace(profile.embeddings, model=str(tmp_path))))
    assert (embedder.model, embedder.dimension) == (str(tmp_path), width)
    texts = ["떡볶이를 좋아해", "I like rain", "떡볶이를 좋아해"]
    stored, asked = embedder.embed_passages(texts), embedder.embed_queries(texts)
    assert stored.shape == (3, width) and stored.dtype == np.float32
    assert np.allclose(np.linalg.norm(stored, axis=1), 1, atol=1e-5)
    assert np.allclose(stored[0], stored[2], atol=1e-5) and stored[0] @ stored[1] < 0.999
    assert np.allclose(stored, asked, atol=1e-5), "KURE and bge-m3 ask for no prefix"
