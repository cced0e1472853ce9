"""Training on toys: SFT and KTO move the adapter and only the adapter, resume, and keep trl's and peft's names."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest
import torch

from ohlora.config import load_profile
from ohlora.llm.adapter import LoraSettings, add_lora, attach_adapter, save_adapter, save_stacked_adapter
from ohlora.llm.adapter_gguf import write_adapter_gguf
from ohlora.llm.backends import choose_backend
from ohlora.llm.dialogues import parse_dialogue, training_rows
from ohlora.llm.kto import KtoRow, KtoSettings, build_kto_trainer, mix
from ohlora.llm.reply_format import MemoryOperation, Reply
from ohlora.llm.rules import violations
from ohlora.llm.sft import SftSettings, build_sft_trainer, train_sft
from ohlora.weights import WeightsError, load_weights

LORA = LoraSettings(rank=2, alpha=4)
CHARACTERS = "abcdefghijklmnopqrstuvwxyz .:|"


@pytest.fixture(scope="module")
def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<bos>", "<end_of_turn>", "<unk>", *CHARACTERS, "\n"]
    core = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<bos>", eos_token="<end_of_turn>", pad_token="<pad>", unk_token="<unk>"
    )


def toy_model():
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=128, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    return LlamaForCausalLM(config)


ROWS = [
    {"prompt": f"user {name}\n", "completion": f"hi {name}<end_of_turn>"} for name in ("ann", "bob", "cy", "dee")
] * 2


def state(model) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def test_sft_moves_the_adapter_and_nothing_else_and_resumes(tokenizer, tmp_path: Path) -> None:
    model = add_lora(toy_model(), LORA)
    before = state(model)
    settings = SftSettings(max_steps=2, batch_size=4, learning_rate=1e-2, warmup_steps=0, save_steps=1, logging_steps=1)
    result = train_sft(model, tokenizer, ROWS, settings, tmp_path / "run", quiet=True)
    moved = {name for name, value in state(result.model).items() if not torch.equal(value, before[name])}
    assert moved and all("lora_" in name for name in moved)
    assert [row["step"] for row in result.history if "loss" in row] == [1, 2]

    longer = dataclasses.replace(settings, max_steps=4)
    again = train_sft(add_lora(toy_model(), LORA), tokenizer, ROWS, longer, tmp_path / "run", quiet=True)
    assert [row["step"] for row in again.history if "loss" in row] == [1, 2, 3, 4], "goes on from step 2"
    assert again.history[0]["loss"] == result.history[0]["loss"]


def test_the_light_loss_is_trls_loss(tokenizer, tmp_path: Path) -> None:
    from transformers import Trainer

    trainer = build_sft_trainer(add_lora(toy_model(), LORA), tokenizer, ROWS, SftSettings(), tmp_path, quiet=True)
    batch = next(iter(trainer.get_train_dataloader()))
    count = (batch["labels"] != -100).sum()
    assert 0 < count < batch["labels"].numel(), "the prompt is masked"
    with torch.no_grad():
        light = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=count)
        usual = Trainer.compute_loss(trainer, trainer.model, dict(batch), num_items_in_batch=count)
    assert torch.allclose(light.float(), usual.float(), atol=1e-2)


def test_kto_learns_which_answer_is_wanted(tokenizer, tmp_path: Path) -> None:
    rows = [KtoRow(row["prompt"], row["completion"], True) for row in ROWS]
    rows += [KtoRow(row["prompt"], "zzz zzz<end_of_turn>", False, ("language",)) for row in ROWS]
    settings = KtoSettings(batch_size=4, learning_rate=3e-2, steps=4)
    model = add_lora(toy_model(), LORA)
    base = {name: value for name, value in state(model).items() if "lora_" not in name}
    trainer = build_kto_trainer(model, tokenizer, rows, settings, tmp_path, quiet=True)
    trainer.train()
    history = [row for row in trainer.state.log_history if "loss" in row]
    assert len(history) == 4 and history[-1]["rewards/margins"] > history[0]["rewards/margins"]
    assert all(torch.equal(value, state(trainer.model)[name]) for name, value in base.items())
    with pytest.raises(ValueError, match="both labels"):
        build_kto_trainer(model, tokenizer, rows[:8], settings, tmp_path, quiet=True)


def test_every_kto_batch_is_mixed() -> None:
    rows = [KtoRow("p", str(index), index % 3 == 0) for index in range(30)]
    mixed = mix(rows, 4)
    assert len(mixed) == 28 and len({row.completion for row in mixed}) == 28
    assert all({row.label for row in mixed[at : at + 4]} == {True, False} for at in range(0, 28, 4))


def filled(model, seed: int):
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(std=0.3)
    return model


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.arange(1, 20)[None]).logits


CARD = {"data": "toy", "seed": 0, "command": "none", "metrics": {}, "licence": "none"}


def test_an_adapter_comes_back_as_it_was_and_two_stack_to_their_sum(tmp_path: Path) -> None:
    first = filled(add_lora(toy_model(), LORA), 1)
    path = save_adapter(first, LORA, tmp_path / "first.safetensors", "toy", CARD)
    assert load_weights(path)[1]["lora"]["rank"] == 2
    again = attach_adapter(toy_model(), path)
    assert torch.allclose(logits(again), logits(first), atol=0.05)
    assert not torch.allclose(logits(again), logits(toy_model()), atol=0.05)

    wider = LoraSettings(rank=3, alpha=3)
    second = filled(add_lora(attach_adapter(toy_model(), path).merge_and_unload(), wider), 2)
    both = save_stacked_adapter(second, wider, tmp_path / "both.safetensors", path, CARD)
    assert load_weights(both)[1]["lora"] == {**dataclasses.asdict(wider), "rank": 5, "alpha": 5,
                                             "target_modules": list(wider.target_modules)}  # fmt: skip
    assert torch.allclose(logits(attach_adapter(toy_model(), both)), logits(second), atol=0.1)


def test_a_truncated_adapter_is_refused(tmp_path: Path) -> None:
    path = save_adapter(add_lora(toy_model(), LORA), LORA, tmp_path / "cut.safetensors", "toy", CARD)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="truncated or changed"):
        attach_adapter(toy_model(), path)


def test_the_llama_cpp_twin_holds_every_matrix_once(tmp_path: Path) -> None:
    from gguf import GGUFReader
    from peft import get_peft_model_state_dict

    tensors = get_peft_model_state_dict(filled(add_lora(toy_model(), LORA), 1), save_embedding_layers=False)
    reader = GGUFReader(write_adapter_gguf(tensors, 4, "gemma-3-270m", tmp_path / "twin.gguf"))
    assert len(reader.tensors) == len(tensors) == 2 * 7 * 2
    assert reader.fields["general.architecture"].contents() == "gemma3"
    assert reader.fields["adapter.lora.alpha"].contents() == 4.0
    found = {tensor.name: tensor.data for tensor in reader.tensors}["blk.1.ffn_down.weight.lora_b"]
    expected = tensors["base_model.model.model.layers.1.mlp.down_proj.lora_B.weight"]
    assert torch.allclose(torch.from_numpy(found.copy()).float(), expected, atol=1e-3)
    with pytest.raises(ValueError, match="gpt-9"):
        write_adapter_gguf(tensors, 4, "gpt-9", tmp_path / "no.gguf")


def test_without_cuda_peft_trains_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for wanted in ("auto", "unsloth", "peft"):
        backend = choose_backend(wanted)
        assert backend.name == "peft" and backend.reason
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(__import__("sys").modules, "unsloth", None)  # makes `import unsloth` fail
    assert "does not import" in choose_backend("unsloth").reason
    with pytest.raises(ValueError, match="backend='keras'"):
        choose_backend("keras")
    assert load_profile("embedded").llm.backend in ("auto", "peft", "unsloth")


DIALOGUE = {
    "id": "x-1", "family": "x", "language": "ko", "history": [], "memories": [], "now": "2026-03-02T21:10",
    "user": "나는 떡볶이를 좋아해", "reply": "좋네!", "expression": "happy", "intensity": 0.8,
    "memory": {"kind": "add", "key": "좋아하는 음식", "value": "떡볶이"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"text": "I like it too!"}, "language"),
        ({"text": "私も好き"}, "language"),
        ({"text": "좋아 좋아 좋아 좋아"}, "repetition"),
        ({"text": "나는 사람이야."}, "persona"),
        ({"text": "저도 좋아해요!"}, "speech level"),
        ({"text": "가" * 150}, "length"),
        ({"valid": False}, "format"),
        ({"memory": MemoryOperation("add", "직업", "소방관")}, "invented memory"),
        ({"memory": None}, "memory"),
        ({"memory": MemoryOperation("forget", "좋아하는 음식")}, "memory"),
        ({"expression": "worried"}, "mood"),
        ({"expression": "thinking"}, None),
        ({"text": "나도 떡볶이 좋아해!"}, None),
    ],
)
def test_the_rules_see_what_they_should(change: dict, rule: str | None) -> None:
    stored = MemoryOperation("add", "좋아하는 음식", "떡볶이")
    reply = dataclasses.replace(Reply("좋네!", "happy", 0.8, stored), **change)
    found = violations(reply, parse_dialogue(DIALOGUE))
    assert (rule in found) if rule else not found


def test_trl_and_peft_still_have_the_names_we_use() -> None:
    from peft import LoraConfig, PeftModel
    from trl import KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

    shared = {"output_dir", "num_train_epochs", "max_steps", "per_device_train_batch_size", "learning_rate", "seed",
              "lr_scheduler_type", "max_length", "gradient_checkpointing", "bf16", "fp16", "use_cpu", "report_to",
              "dataloader_pin_memory", "logging_steps", "save_steps", "save_total_limit", "disable_tqdm"}  # fmt: skip
    expected = {
        SFTConfig: shared | {"completion_only_loss", "warmup_steps", "data_seed", "train_sampling_strategy"},
        KTOConfig: shared | {"beta", "desirable_weight", "undesirable_weight"},
        LoraConfig: {"r", "lora_alpha", "lora_dropout", "target_modules", "task_type"},
    }
    for config, names in expected.items():
        missing = names - {field.name for field in dataclasses.fields(config)}
        assert not missing, f"{config.__name__} lost {missing}"
    for trainer in (SFTTrainer, KTOTrainer):
        parameters = set(inspect.signature(trainer.__init__).parameters)
        assert {"model", "args", "train_dataset", "eval_dataset", "processing_class"} <= parameters
    assert list(inspect.signature(SFTTrainer.compute_loss).parameters) == [
        "self", "model", "inputs", "return_outputs", "num_items_in_batch",
    ]  # fmt: skip
    assert callable(PeftModel.merge_and_unload if hasattr(PeftModel, "merge_and_unload") else PeftModel.__getattr__)


def test_training_rows_end_with_the_turn(tokenizer) -> None:
    [row] = training_rows([parse_dialogue(DIALOGUE)])
    assert row["completion"].endswith(tokenizer.eos_token)
