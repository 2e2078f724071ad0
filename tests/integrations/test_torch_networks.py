"""PyTorch modules give what the trained models give."""

import warnings

import numpy as np
import pytest
from untrained import KINDS, untrained, untrained_run

import factorgrid as fg
from factorgrid.integrations.networks import described

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-torch")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", KINDS)
def test_modules_are_the_networks(kind):
    from factorgrid.integrations.torch_networks import TorchDecoder, TorchEncoder

    architecture, shape, latent = KINDS[kind]
    model = untrained(architecture, shape, latent)
    networks = described(model, shape)
    encoder, decoder = TorchEncoder(networks), TorchDecoder(networks)
    images = RNG.uniform(size=(3, *shape)).astype(np.float32)
    seen = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    codes = model.encode(images)
    np.testing.assert_allclose(encoder(seen).detach().numpy(), codes, atol=1e-5, rtol=1e-5)
    if model.discrete:
        np.testing.assert_array_equal(encoder.categorize(seen).numpy(), model.categorize(images))
    decoded = decoder(torch.from_numpy(codes)).detach().numpy()
    np.testing.assert_allclose(decoded.transpose(0, 2, 3, 1), model.decode(codes), atol=1e-5)


def test_modules_train_on_and_are_saved(tmp_path):
    from factorgrid.integrations.torch_networks import torch_networks

    run = untrained_run(tmp_path / "run", seeds=1, data="circles", model="dvae", data_options={"image_size": 16})
    encoder, decoder = torch_networks(run.path)
    images, factors = run.dataset().draw(300, seed=0)
    seen = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    loss = ((decoder(encoder(seen)) - seen) ** 2).mean()
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in decoder.parameters())
    expected = fg.score(run.model(0).encode(images), factors, "mig")
    assert fg.score_encoder(encoder, images, factors, "mig")["mig"] == pytest.approx(expected["mig"], abs=1e-3)
    torch.save(encoder.state_dict(), tmp_path / "encoder.pt")
    other, _ = torch_networks(run)
    other.load_state_dict(torch.load(tmp_path / "encoder.pt", weights_only=True))
    torch.testing.assert_close(other(seen), encoder(seen))


def test_a_torchscript_file_is_scored_as_any_encoder(tmp_path):
    path = tmp_path / "encoder.pt"
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    images, factors = RNG.uniform(size=(100, 4, 4, 1)).astype(np.float32), RNG.integers(3, size=(100, 2))
    with warnings.catch_warnings(action="ignore"):  # TorchScript is deprecated, and in many people's hands
        torch.jit.trace(module, torch.zeros(1, 1, 4, 4)).save(str(path))
    assert fg.score_encoder(path, images, factors, "mig") == fg.score_encoder(module, images, factors, "mig")
