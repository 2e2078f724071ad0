"""Scores over batches of tensors: alone, in torchmetrics' collections, and in Lightning's loop."""

import numpy as np
import pytest

import factorgrid as fg

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-torch")
RNG = np.random.default_rng(0)
FACTORS = RNG.integers([4, 5], size=(400, 2))
CODES = (FACTORS @ np.array([[1.0, 0.3], [0.0, 1.0]]) + 0.1 * RNG.normal(size=(400, 2))).astype(np.float32)


def fed(scores):
    codes, factors = torch.from_numpy(CODES).requires_grad_(), torch.from_numpy(FACTORS)
    for start in range(0, 400, 128):
        scores.update(codes[start : start + 128], factors[start : start + 128])
    return scores


def test_batches_are_scored_as_the_whole():
    from factorgrid.integrations.torch_scores import CodeScores

    scores = fed(CodeScores(["MIG", "sap"]))
    expected = fg.score(CODES, FACTORS, ["mig", "sap"])
    assert scores.compute() == expected
    scores.reset()
    assert fed(scores).compute() == expected
    few = fed(CodeScores("mig", most=300))
    assert few.compute() == fg.score(CODES[:300], FACTORS[:300], "mig")
    with pytest.raises(
        fg.Error, match=r"codes \[sample, latent\] and factors \[sample, factor\], got \[3, 2\] and \[3\]"
    ):
        scores.update(torch.zeros(3, 2), torch.zeros(3))
    with pytest.raises(fg.Error, match="unknown metric 'MIGG'; did you mean 'mig'"):
        CodeScores("MIGG")


@pytest.mark.filterwarnings("ignore")
def test_in_a_collection_of_torchmetrics():
    torchmetrics = pytest.importorskip("torchmetrics", reason="torchmetrics is not installed: make test-torch")
    from factorgrid.integrations.torch_scores import CodeScores

    collection = torchmetrics.MetricCollection({"quick": CodeScores("mig"), "slow": CodeScores("dci_forest")})
    found = fed(collection).compute()
    assert found["mig"] == fg.score(CODES, FACTORS, "mig")["mig"]
    assert "dci_forest.completeness" in found
    collection.reset()
    with pytest.raises(fg.Error, match="there is no batch to score yet"):
        collection.compute()


@pytest.mark.filterwarnings("ignore")
def test_a_lightning_module_logs_its_scores(tmp_path):
    lightning = pytest.importorskip("lightning", reason="Lightning is not installed: make test-torch")
    from factorgrid.integrations.lightning_callback import ScoreCallback

    images = np.zeros((400, 1, 4, 5), np.float32)
    images[np.arange(400), 0, FACTORS[:, 0], FACTORS[:, 1]] = 1

    class Linear(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(20, 2)

        def encode(self, images):
            return self.layer(images.flatten(1))

        def training_step(self, batch, _):
            return self.encode(batch[0]).square().mean()

        def validation_step(self, batch, _):
            pass

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.0)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(images)), batch_size=200)
    callback = ScoreCallback(images, FACTORS, "mig", every=2)
    trainer = lightning.Trainer(
        max_epochs=2, callbacks=[callback], default_root_dir=tmp_path, logger=False, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
    )  # fmt: skip
    module = Linear()
    trainer.fit(module, loader, loader)
    with torch.no_grad():
        expected = fg.score(module.encode(torch.from_numpy(images)), FACTORS, "mig")["mig"]
    assert callback.num_validations == 2
    assert float(trainer.callback_metrics["disentanglement/mig"]) == pytest.approx(expected)
