"""The packaged Gemma in plain torch: the hidden states of transformers, and nothing that stands behind counts."""

from __future__ import annotations

import pytest
import torch

from ohlora.llm.gemma_encoder import GemmaEncoder, GemmaSizes, read_gemma, rotary_turn, rotated

SIZES = GemmaSizes(16, 32, 3, 4, 2, 8, 50, 1e-6, (1,), 1e4, 1e6)


def test_it_computes_what_transformers_computes() -> None:
    from transformers import Gemma3TextConfig, Gemma3TextModel

    config = Gemma3TextConfig(
        vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=8, rms_norm_eps=1e-6, sliding_window=512,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        },
    )  # fmt: skip
    torch.manual_seed(0)
    theirs, ours = Gemma3TextModel(config).eval(), GemmaEncoder(SIZES)
    for weight in theirs.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    ours.load_state_dict(theirs.state_dict())
    tokens = torch.randint(0, 50, (3, 12))
    with torch.no_grad():
        assert torch.allclose(ours(tokens), theirs(input_ids=tokens).last_hidden_state, atol=1e-4)


@torch.no_grad()
def test_what_stands_behind_does_not_count() -> None:
    torch.manual_seed(0)
    encoder = GemmaEncoder(SIZES)
    tokens = torch.randint(0, 50, (1, 9))
    assert torch.allclose(encoder(tokens)[:, :5], encoder(tokens[:, :5]), atol=1e-5)


def test_a_turn_keeps_lengths_and_depends_on_the_distance_alone() -> None:
    query, key = torch.randn(2, 8)
    cosine, sine = rotary_turn(10, 8, 1e4, query)

    def product(first: int, second: int) -> float:
        return float(rotated(query, cosine[first], sine[first]) @ rotated(key, cosine[second], sine[second]))

    assert product(2, 5) == pytest.approx(product(4, 7), abs=1e-4)
    assert rotated(query, cosine[3], sine[3]).norm().item() == pytest.approx(query.norm().item(), abs=1e-4)


def test_the_packaged_one_begins_with_its_mark_and_is_frozen() -> None:
    encoder, tokenizer = read_gemma()
    assert tokenizer.encode("안녕").ids[0] == tokenizer.token_to_id("<bos>")
    assert encoder.sizes.width == 640 and not any(weight.requires_grad for weight in encoder.parameters())
