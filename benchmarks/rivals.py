"""Rivals of benchmarks/training.py, written for PyTorch; run in its environment, which has no factorgrid.

Models and numerics are those of the paper (benchmarks/training.py says which), written as one writes PyTorch:
modules, channels-last images, one step a call. `make(name, method, images)` gives a function that takes one step.
"""

import torch
from torch import nn
from torch.nn import functional

LATENTS, CATEGORIES, BATCH = 10, 64, 64


class DVAE(nn.Module):
    """The D-VAE of the paper's Table 2."""

    def __init__(self):
        super().__init__()
        relu = nn.ReLU
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1), relu(), nn.Conv2d(32, 32, 4, 2, 1), relu(),
            nn.Conv2d(32, 64, 2, 2), relu(), nn.Conv2d(64, 64, 2, 2), relu(),
            nn.Flatten(), nn.Linear(1024, 256), relu(), nn.Linear(256, LATENTS * CATEGORIES),
        )  # fmt: skip
        self.hidden = nn.Sequential(nn.Linear(LATENTS, 256), relu(), nn.Linear(256, 1024), relu())
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(64, 64, 4, 2, 1), relu(), nn.ConvTranspose2d(64, 32, 4, 2, 1), relu(),
            nn.ConvTranspose2d(32, 32, 4, 2, 1), relu(), nn.ConvTranspose2d(32, 1, 4, 2, 1),
        )  # fmt: skip
        self.register_buffer("grid", torch.linspace(-1, 1, CATEGORIES))

    def forward(self, images, noise_scale):
        """(negative ELBO, latents)."""
        logits = self.encoder(images).view(-1, LATENTS, CATEGORIES)
        gumbel = -torch.log(torch.empty_like(logits).exponential_())
        latents = functional.softmax(logits + noise_scale * gumbel, dim=-1) @ self.grid
        log_q = functional.log_softmax(logits, dim=-1)
        kl = (log_q.exp() * log_q).sum() / len(images)
        pixels = self.decoder(self.hidden(latents).view(-1, 64, 4, 4))
        reconstruction = functional.binary_cross_entropy_with_logits(pixels, images, reduction="sum") / len(images)
        return reconstruction + kl, latents


class BroadcastDecoder(nn.Module):
    """The spatial broadcast decoder of the paper's Table 3: latents tiled beside coordinates, three convolutions."""

    def __init__(self, latents, size, width):
        super().__init__()
        line = torch.linspace(-1, 1, size)
        self.register_buffer("coordinates", torch.stack(torch.meshgrid(line, line, indexing="xy"))[None])
        pad, relu = (lambda: nn.ZeroPad2d((1, 2, 1, 2))), nn.ReLU
        self.layers = nn.Sequential(
            pad(), nn.Conv2d(latents + 2, width, 4), relu(), pad(), nn.Conv2d(width, width, 4), relu(),
            pad(), nn.Conv2d(width, 1, 4),
        )  # fmt: skip

    def forward(self, latents):
        size = self.coordinates.shape[-1]
        tiled = latents[:, :, None, None].expand(-1, -1, size, size)
        x = torch.cat([tiled, self.coordinates.expand(len(latents), -1, -1, -1)], dim=1)
        return self.layers(x.contiguous(memory_format=torch.channels_last))


def decoder_pass(size, width, compiled):
    """Forward and backward pass of the broadcast decoder, two latents, as a function without arguments."""
    model = BroadcastDecoder(2, size, width).to(memory_format=torch.channels_last)
    forward = torch.compile(model) if compiled else model
    latents = torch.randn(BATCH, 2, requires_grad=True)

    def step():
        loss = forward(latents).square().mean()
        model.zero_grad()
        loss.backward()
        return loss

    return step


def discriminator():
    """FactorVAE's: six layers of 1000."""
    sizes = [LATENTS] + [1000] * 6
    layers = [part for i in range(6) for part in (nn.Linear(sizes[i], sizes[i + 1]), nn.LeakyReLU(0.01))]
    return nn.Sequential(*layers, nn.Linear(1000, 2))


def dvae_step(method, images, compiled, precision):
    """One step of D-VAE or FactorDVAE, as a function without arguments; bfloat16: by autocast, as is usual."""
    half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")
    model = DVAE().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    forward = torch.compile(model) if compiled else model
    critic = discriminator() if method == "factor_dvae" else None
    if critic is not None:
        critic_optimizer = torch.optim.Adam(critic.parameters(), 1e-4, betas=(0.5, 0.9))
        judge = torch.compile(critic) if compiled else critic
    truth = torch.cat([torch.zeros(BATCH), torch.ones(BATCH)]).long()

    def step():
        with half:
            loss, latents = forward(batch(images), 1.0)
            if critic is not None:
                critic.requires_grad_(False)  # the penalty needs no gradient of the critic's weights
                odds = judge(latents)
                loss = loss + 30.0 * (odds[:, 0] - odds[:, 1]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if critic is not None:
            critic.requires_grad_(True)
            fixed = latents.detach()
            shuffled = torch.stack([fixed[torch.randperm(BATCH), i] for i in range(LATENTS)], dim=1)
            with half:
                critic_loss = functional.cross_entropy(judge(torch.cat([fixed, shuffled])), truth)
            critic_optimizer.zero_grad()
            critic_loss.backward()
            critic_optimizer.step()
        return loss

    return step


def disent_step(method, images):
    """One step of disent's own beta-VAE with its own networks of the same plan (it has no D-VAE)."""
    if method != "dvae":
        raise RuntimeError("disent has no FactorDVAE")
    from disent.frameworks.vae import BetaVae
    from disent.model import AutoEncoder
    from disent.model.ae import DecoderConv64, EncoderConv64

    encoder = EncoderConv64(x_shape=(1, 64, 64), z_size=LATENTS, z_multiplier=2)
    networks = AutoEncoder(encoder=encoder, decoder=DecoderConv64(x_shape=(1, 64, 64), z_size=LATENTS))
    module = BetaVae(model=networks, cfg=BetaVae.cfg(recon_loss="bce", loss_reduction="mean_sum", beta=1))
    module.log = module.log_dict = lambda *_, **__: None  # there is no Lightning trainer to log to
    optimizer = torch.optim.Adam(module.parameters(), 1e-4)

    def step():
        loss = module.training_step({"x_targ": [batch(images)]}, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def batch(images):
    """A random batch of uint8 images [n h w], as floats [b 1 h w] in channels-last order."""
    chosen = images[torch.randint(len(images), (BATCH,))]
    return chosen.unsqueeze(1).to(torch.float32).div_(255).contiguous(memory_format=torch.channels_last)


def make(name, method, images):
    """A function that takes one training step of rival `name`."""
    torch.set_num_threads(len(__import__("os").sched_getaffinity(0)))
    if method.startswith("broadcast"):
        if name == "disent":
            raise RuntimeError("disent has no broadcast decoder")
        return decoder_pass(*map(int, method.split()[1:]), compiled=name == "torch.compile")
    images = torch.from_numpy(images)
    method, _, precision = method.partition(" ")
    if name == "disent":
        if precision:
            raise RuntimeError("disent is measured in float32 only")
        return disent_step(method, images)
    return dvae_step(method, images, compiled=name == "torch.compile", precision=precision)
