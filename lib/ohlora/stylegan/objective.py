"""What generated images are scored by: reconstruction, perception, a discriminator, and the balance between them."""

from __future__ import annotations

import torch
from torch import Tensor

from ohlora.stylegan import losses
from ohlora.stylegan.discriminator import Discriminator
from ohlora.stylegan.projected_discriminator import ProjectedDiscriminator, Views
from ohlora.stylegan.training_config import Phase, TrainingConfig

_BALANCE_EVERY = 8  # steps; the losses' pulls drift slowly, and striking the balance costs a pass for each

Maps = list[Tensor]


class Objective:
    """The discriminator, the frozen eyes, and the losses of one run.

    critic: the discriminator. weights: of the losses, struck again every few steps. precision: of the critic's half
    precision passes.
    """

    def __init__(self, config: TrainingConfig, place: torch.device, precision: torch.dtype) -> None:
        self.config, self.place, self.precision = config, place, precision
        self.projected = config.discriminator == "projected"
        critic = ProjectedDiscriminator() if self.projected else Discriminator(config.generator.size)
        self.critic = critic.to(place, memory_format=torch.channels_last)
        self.trained = [parameter for parameter in self.critic.parameters() if parameter.requires_grad]
        # the heads of the projected one are too small to be worth compiling
        compiled = config.compile and not self.projected
        self.judge = torch.compile(self.critic, dynamic=False) if compiled else self.critic
        perceives = config.mode != "adversarial" and config.perceptual > 0
        needed = perceives or (config.mode != "paired" and self.projected)
        self.views = Views().to(place, memory_format=torch.channels_last) if needed else None
        self.weights: dict[str, float] = {}

    def plays(self, phase: Phase) -> bool:
        """Whether the discriminator takes part in a phase."""
        return self.config.mode == "adversarial" or (self.config.mode == "paired_adversarial" and phase.adversarial)

    def terms(
        self, made: Tensor, real: Tensor, weights: Tensor, paired: int, corner: tuple[int, ...], phase: Phase
    ) -> tuple[dict[str, Tensor], tuple[Maps, Maps]]:
        """Losses of the generator.

        Args:
            made: generated images (n, 3, size, size); the first ``paired`` belong to the first rendered ones.
            real: rendered images of the same shape. weights: of their pixels. corner: of the crop that is looked at.

        Returns:
            name → loss, the first being the reference of the balance; and what the discriminator is shown of the
            generated and of the rendered images.
        """
        config, terms = self.config, {}
        if paired:
            pixels = losses.reconstruction_loss(made[:paired], real[:paired], weights[:paired])
            edges = losses.gradient_loss(made[:paired], real[:paired], weights[:paired])
            terms["pixels"] = pixels + config.gradient * edges
        seen_made, seen_real = [made], [real]
        if self.views is not None and (phase.adversarial or self.plays(phase)):
            # Depthwise convolutions go backwards twice as fast in float32 on a CPU.
            with torch.autocast(self.place.type, self.precision, enabled=self.place.type != "cpu"):
                maps_made = self.views(made, corner)
                with torch.no_grad():
                    maps_real = self.views(real, corner)
            if paired and config.perceptual > 0:
                terms["perceptual"] = losses.feature_loss(_first(maps_made, paired), _first(maps_real, paired))
            if self.projected:
                seen_made, seen_real = maps_made, maps_real
        if self.plays(phase):
            terms |= self._adversarial_terms(seen_made, seen_real, paired)
        return terms, ([part.detach() for part in seen_made], seen_real)

    def _adversarial_terms(self, seen_made: Maps, seen_real: Maps, paired: int) -> dict[str, Tensor]:
        """How badly the discriminator is fooled, and how far its own features of the pairs are apart."""
        for parameter in self.trained:
            parameter.requires_grad_(False)
        with torch.autocast(self.place.type, self.precision):
            logits, features = self.judge(seen_made)
            with torch.no_grad():
                _, wanted = self.judge(seen_real) if features and paired else (None, [])
        for parameter in self.trained:
            parameter.requires_grad_(True)
        fooled = losses.hinge_generator_loss if self.projected else losses.logistic_generator_loss
        terms = {"fooled": fooled(logits)}
        if wanted:
            terms["features"] = losses.feature_loss(_first(features, paired), _first(wanted, paired))
        return terms

    def pull(self, made: Tensor, terms: dict[str, Tensor], step: int, scaler: torch.amp.GradScaler) -> Tensor:
        """Scaled gradient of the balanced sum of the losses on the images ``made``."""
        if step % _BALANCE_EVERY == 0 or set(terms) != set(self.weights):
            gradients = {
                name: torch.autograd.grad(scaler.scale(term), made, retain_graph=True)[0]
                for name, term in terms.items()
            }
            config = self.config
            shares = {
                "perceptual": config.perceptual, "fooled": config.adversarial, "features": config.features,
            }  # fmt: skip
            self.weights = losses.balancing_weights(gradients, shares, reference=next(iter(terms)))
        total = torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()
        return torch.autograd.grad(scaler.scale(total), made)[0]

    def critic_loss(self, shown: tuple[Maps, Maps], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of the discriminator on what :meth:`terms` says it is shown, and numbers for the history."""
        seen_made, seen_real = shown
        with torch.autocast(self.place.type, self.precision):
            real_logits, _ = self.judge(seen_real)
            fake_logits, _ = self.judge(seen_made)
        judge = losses.hinge_discriminator_loss if self.projected else losses.logistic_discriminator_loss
        loss = judge(real_logits, fake_logits)
        report = {"discriminator": loss, "real_score": _mean(real_logits), "fake_score": _mean(fake_logits)}
        if not self.projected and step % self.config.r1_every == 0:  # lazy: rarely, and that much stronger
            (real,) = seen_real
            report["r1"] = losses.r1_penalty(self.critic, real[: max(1, len(real) // 2)])
            loss = loss + self.config.r1_every * self.config.r1 / 2 * report["r1"]
        return loss, {name: value.detach() for name, value in report.items()}


def _first(maps: Maps, count: int) -> Maps:
    return [part[:count] for part in maps]


def _mean(logits: Maps) -> Tensor:
    return torch.stack([scores.float().mean() for scores in logits]).mean()
