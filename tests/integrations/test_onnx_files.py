"""ONNX files, run by onnxruntime, give what the trained models give."""

import numpy as np
import pytest
from untrained import KINDS, untrained, untrained_run

import factorgrid as fg
from factorgrid.integrations import onnx_files
from factorgrid.integrations.networks import described

onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed: pip install 'factorgrid[onnx]'")
pytest.importorskip("onnx", reason="onnx is not installed: pip install 'factorgrid[onnx]'")
RNG = np.random.default_rng(0)


def run(graph, **inputs):
    """The outputs of a graph by name."""
    helper = onnx_files.onnx.helper
    model = helper.make_model(graph, ir_version=onnx_files.IR_VERSION, opset_imports=[helper.make_opsetid("", 17)])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


@pytest.mark.parametrize("kind", KINDS)
def test_graphs_are_the_networks(kind):
    architecture, shape, latent = KINDS[kind]
    model = untrained(architecture, shape, latent)
    networks = described(model, shape)
    images = RNG.uniform(size=(3, *shape)).astype(np.float32)
    found = run(onnx_files.encoder_graph(networks), images=images.transpose(0, 3, 1, 2))
    codes = model.encode(images)
    np.testing.assert_allclose(found["codes"], codes, atol=1e-5, rtol=1e-5)
    assert ("categories" in found) == model.discrete
    if model.discrete:
        np.testing.assert_array_equal(found["categories"], model.categorize(images))
    decoded = run(onnx_files.decoder_graph(networks), codes=codes)["images"]
    np.testing.assert_allclose(decoded.transpose(0, 2, 3, 1), model.decode(codes), atol=1e-5)


def test_files_are_written_and_scored_as_any_encoder(tmp_path):
    trained = untrained_run(tmp_path / "run", seeds=2, data="circles", model="dvae", data_options={"image_size": 16})
    encoder, decoder = fg.export_onnx(trained.path, tmp_path / "out", member=1)
    assert (encoder.name, decoder.name) == ("encoder.onnx", "decoder.onnx")
    images, factors = trained.dataset().draw(300, seed=0)
    expected = fg.score(trained.model(1).encode(images), factors, "mig")
    assert fg.score_encoder(encoder, images, factors, "mig")["mig"] == pytest.approx(expected["mig"], abs=1e-3)


def test_what_is_no_network_file_is_an_error(tmp_path):
    images, factors = np.zeros((30, 4, 4, 1)), np.zeros((30, 1), int)
    with pytest.raises(fg.Error, match=r"encoder\.onnx does not exist"):
        fg.score_encoder(tmp_path / "encoder.onnx", images, factors)
    (tmp_path / "encoder.onnx").write_bytes(b"nothing")
    with pytest.raises(fg.Error, match=r"encoder\.onnx cannot be read"):
        fg.score_encoder(tmp_path / "encoder.onnx", images, factors)
    with pytest.raises(fg.Error, match=r"encoder\.h5 is neither an ONNX nor a TorchScript file"):
        fg.score_encoder(tmp_path / "encoder.h5", images, factors)
