"""ONNX graphs, written by hand; wanted values by independent formulas."""

from __future__ import annotations

import time

import numpy as np
import pytest
from onnx_files import field, model, node, tensor, value
from test_checkpoint_graphs_keras import convolved, first, leaky, normed, transposed, weights
from test_checkpoint_runs import run_with

from gandoctor import api, inspecting
from gandoctor.checkpoint import contents
from gandoctor.checkpoint.graphs import feeding, programs
from gandoctor.checkpoint.graphs.meter import Meter
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.rebuilt import Hints
from gandoctor.errors import GandoctorError


def network(folder, data, name="netG.onnx"):
    (folder / name).write_bytes(data)
    (found,) = contents.read(folder / name).networks
    return found


def run(folder, data, *given):
    return programs.of(network(folder, data).plan).run([*map(np.array, given)], Meter())


def whole(*numbers):
    return np.array(numbers, np.int64)


DCGAN = {
    "fc": weights(6, 16), "bias": weights(16), "shape": whole(0, 4, 2, 2), "up": np.array([1, 1, 2, 2], np.float32),
    "conv": weights(5, 4, 3, 3), "cb": weights(5), "g": weights(5), "b": weights(5), "m": weights(5),
    "v": np.abs(weights(5)) + 0.1, "t": weights(5, 1, 4, 4), "none": np.zeros(0, np.float32),
}  # fmt: skip
NODES = [
    node("Gemm", ["z", "fc", "bias"], ["h"], transB=0, alpha=1.0, beta=1.0),
    node("Reshape", ["h", "shape"], ["r"]),
    node("Resize", ["r", "none", "up"], ["u"], mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
    node("Conv", ["u", "conv", "cb"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]),
    node("LeakyRelu", ["c"], ["l"], alpha=0.3),
    node("BatchNormalization", ["l", "g", "b", "m", "v"], ["n"], epsilon=0.01),
    node("ConvTranspose", ["n", "t"], ["o"], strides=[2, 2], pads=[1, 1, 1, 1]),
    node("Tanh", ["o"], ["image"]),
]  # fmt: skip


def by_hand(z):
    w = DCGAN
    h = np.moveaxis((z @ w["fc"] + w["bias"]).reshape(-1, 4, 2, 2), 1, -1)
    h = h.repeat(2, axis=1).repeat(2, axis=2)
    h = leaky(convolved(h, w["conv"].transpose(2, 3, 1, 0), 1, True) + w["cb"], 0.3)
    h = normed(h, 0.01, w["g"], w["b"], w["m"], w["v"])
    return first(np.tanh(transposed(h, w["t"].transpose(2, 3, 1, 0), 2, True)))


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_a_dcgan(batch, raw, tmp_path):
    nodes = NODES
    if batch != "n":  # as exported for one size of batch alone
        fixed = node("Constant", [], ["fixed"], value=whole(batch, 4, 2, 2))
        nodes = [fixed, NODES[0], node("Reshape", ["h", "fixed"], ["r"]), *NODES[2:]]
    data = model(
        nodes, DCGAN, [value("z", [batch, 6])], [value("image", [batch, 1, 8, 8])], raw=raw
    )
    z = weights(7, 6)
    one = network(tmp_path, data)
    assert one.role == "g"
    for found in feeding.rebuild(one, Hints()):
        assert found.graph == "ONNX"
        assert found.latent.shape == (6,)
        assert found.ops[-1].numbers["name"] == "tanh"
        assert np.abs(found.sample(z, 1) - by_hand(z)).max() < 1e-5


def test_numbers_in_a_file_beside_it(tmp_path):
    held = {}
    data = b"\0" * 8
    for name, array in DCGAN.items():
        said = {"location": "netG.onnx.data", "offset": f"{len(data)}", "length": f"{array.nbytes}"}
        held[name] = tensor(name, array, external=said)
        data += array.tobytes()
    (tmp_path / "netG.onnx.data").write_bytes(data)
    program = model(NODES, held, [value("z", ["n", 6])], [value("image", ["n", 1, 8, 8])])
    z = weights(3, 6)
    assert np.abs(run(tmp_path, program, z) - by_hand(z)).max() < 1e-5


@pytest.mark.parametrize(
    "said",
    [
        {"location": "../secret"}, {"location": "/etc/passwd"}, {"location": "link"}, {"location": "folder"},
        {"location": "beside", "offset": "9" * 30}, {"location": "beside", "offset": "-4"},
        {"location": "beside", "length": "999"}, {},
    ],
)  # fmt: skip
def test_other_files_are_not_read(said, tmp_path):
    (tmp_path / "secret").write_bytes(b"x" * 4000)
    inner = tmp_path / "run"
    (inner / "folder").mkdir(parents=True)
    (inner / "link").symlink_to(tmp_path / "secret")
    (inner / "beside").write_bytes(b"x" * 400)
    held = {**DCGAN, "fc": tensor("fc", DCGAN["fc"], external=said)}
    data = model(NODES, held, [value("z", ["n", 6])], [value("image", ["n", 1, 8, 8])])
    with pytest.raises(UnlikeError, match="cannot be read"):
        feeding.rebuild(network(inner, data), Hints())


def test_classes_and_branches(tmp_path):
    held = {
        "table": weights(3, 4),
        "w": weights(8, 5),
        "minus": whole(1),
        "two": np.array(2, np.float32),
    }
    nodes = [
        node("Gather", ["table", "label"], ["e"]),
        node("Concat", ["z", "e"], ["x"], axis=-1),
        node("MatMul", ["x", "w"], ["h"]),
        node("ReduceMean", ["h"], ["mean"], axes=[1], keepdims=1),
        node("Sub", ["h", "mean"], ["d"]),
        node("Pow", ["d", "two"], ["s"]),
        node("Sigmoid", ["s"], ["g"]),
        node("Mul", ["g", "d"], ["out"]),
    ]
    data = model(
        nodes, held, [value("z", ["n", 4]), value("label", ["n"], 7)], [value("out", ["n", 5])]
    )
    z, y = weights(4, 4), np.array([2, 0, 1, 1])
    d = np.concatenate([z, held["table"][y]], axis=1) @ held["w"]
    d -= d.mean(axis=1, keepdims=True)
    wanted = d / (1 + np.exp(-(d**2)))
    assert np.abs(run(tmp_path, data, z, y) - wanted).max() < 1e-5
    found = feeding.rebuild(network(tmp_path, data), Hints())[0]
    flat = np.concatenate([z, np.eye(3, dtype=np.float32)[y]], axis=1)
    assert np.abs(found.sample(flat, 1) - wanted).max() < 1e-5


X = weights(2, 4, 6, 6)
BLOCKS = X.reshape(2, 4, 3, 2, 3, 2)
SCALE, BIAS = weights(4), weights(4)
ALONE = (X - X.mean(axis=(2, 3), keepdims=True)) / np.sqrt(X.var(axis=(2, 3), keepdims=True) + 0.1)
CRD = np.array(
    [[X[:, 2 * (i % 2) + (j % 2), i // 2, j // 2] for j in range(12)] for i in range(12)]
)
NONE = np.zeros(0, np.float32)
# Bilinear, centres of pixels half a pixel in: by hand for one row, then for both axes.
ROW = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
SINGLE = {
    "InstanceNormalization": (
        {"s": SCALE, "b": BIAS}, {"epsilon": 0.1},
        ALONE * SCALE[:, None, None] + BIAS[:, None, None],
    ),
    "PRelu": ({"s": SCALE.reshape(4, 1, 1)}, {}, np.maximum(X, 0) + SCALE[:, None, None] * np.minimum(X, 0)),
    "Clip": ({"low": np.array(-0.1, np.float32), "high": np.array(0.2, np.float32)}, {}, X.clip(-0.1, 0.2)),
    "AveragePool": ({}, {"kernel_shape": [2, 2], "strides": [2, 2]}, BLOCKS.mean(axis=(3, 5))),
    "MaxPool": ({}, {"kernel_shape": [2, 2], "strides": [2, 2]}, BLOCKS.max(axis=(3, 5))),
    "GlobalAveragePool": ({}, {}, X.mean(axis=(2, 3), keepdims=True)),
    "DepthToSpace": ({}, {"blocksize": 2, "mode": "CRD"}, CRD.transpose(2, 0, 1)[:, None]),
    "Transpose": ({}, {"perm": [0, 2, 3, 1]}, X.transpose(0, 2, 3, 1)),
    "Pad": ({"p": whole(0, 0, 1, 0, 0, 0, 0, 2)}, {"mode": "reflect"}, np.pad(X, ((0, 0), (0, 0), (1, 0), (0, 2)), "reflect")),
    "Slice": ({"a": whole(5, 0), "b": whole(-99, 3), "c": whole(2, 1), "d": whole(-1, 2)}, {}, X[:, 0:3:2, ::-1]),
    "ReduceSum": ({"a": whole(1)}, {"keepdims": 0}, X.sum(axis=1)),
    "Unsqueeze": ({"a": whole(1)}, {}, None),
    "Elu": ({}, {"alpha": 0.5}, np.where(X > 0, X, 0.5 * np.expm1(X))),
    "Selu": ({}, {}, 1.05070102 * np.where(X > 0, X, 1.67326319 * np.expm1(X))),
    "HardSigmoid": ({}, {"alpha": 0.3}, (X * 0.3 + 0.5).clip(0, 1)),
    "Softmax": ({}, {"axis": 1}, np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)),
}  # fmt: skip


@pytest.mark.parametrize("kind", [k for k in SINGLE if SINGLE[k][2] is not None])
def test_single_operators(kind, tmp_path):
    held, said, wanted = SINGLE[kind]
    data = model(
        [node(kind, ["x", *held], ["y"], **said)],
        held,
        [value("x", [2, 4, 6, 6])],
        [value("y", [2])],
    )
    found = run(tmp_path, data, X)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-5


def test_bilinear_by_hand(tmp_path):
    x = X[:, :, :2, :2]
    held = {"roi": NONE, "scales": NONE, "sizes": whole(2, 4, 4, 4)}
    said = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    data = model(
        [node("Resize", ["x", *held], ["y"], **said)],
        held,
        [value("x", [2, 4, 2, 2])],
        [value("y", [2])],
    )
    assert np.abs(run(tmp_path, data, x) - ROW @ x @ ROW.T).max() < 1e-6


def test_a_discriminator(tmp_path):
    held = {"w": weights(3, 4, 6, 6), "b": weights(3), "l": weights(1, 3)}
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[6, 6]),
        node("Flatten", ["c"], ["f"]),
        node("Gemm", ["f", "l"], ["s"], transB=1),
    ]
    data = model(nodes, held, [value("x", [2, 4, 6, 6])], [value("s", [2, 1])])
    x = weights(5, 4, 6, 6)
    c = np.einsum("ncij,ocij->no", x, held["w"]) + held["b"]
    one = network(tmp_path, data, "netD.onnx")
    assert one.role == "d"
    assert np.abs(feeding.scores(one, x) - c @ held["l"].T).max() < 1e-5


def one_node(*args, **more):
    return model(
        [node(*args, **more)],
        {"w": weights(4, 4), "n": whole(1 << 20, 1 << 20)},
        [value("z", ["n", 4])],
        [value("y", [1])],
    )


REFUSED = {
    "unknown": (one_node("Einsum", ["z"], ["y"]), "holds Einsum, which is not run"),
    "random": (one_node("RandomNormalLike", ["z"], ["y"]), "holds RandomNormalLike"),
    "of a library": (one_node("Gemm", ["z", "w"], ["y"], domain="evil"), "holds evil.Gemm"),
    "a name that is none": (one_node("Gemm", ["z", "q"], ["y"]), "damaged"),
    "itself": (one_node("Relu", ["y"], ["y"]), "damaged"),
    "nothing comes out": (one_node("Relu", ["z"], ["x"]), "damaged"),
    "huge": (one_node("Expand", ["z", "n"], ["y"]), "does not fit"),
    "huge zeros": (one_node("ConstantOfShape", ["n"], ["y"]), "too large"),
    "a negative stride": (one_node("Conv", ["z", "w"], ["y"], strides=[-1, -1]), "does not fit"),
    "odd kinds": (one_node("Cast", ["z"], ["y"], to=8), "numbers of a kind"),
    "a subgraph": (model([node("Relu", ["z"], ["y"]) + field(5, field(1, "body") + field(6, b""))], {}, [value("z", ["n", 4])], [value("y", [1])]), "graphs within it"),
    "dropped": (model([node("Dropout", ["z", "r", "t"], ["y"])], {"r": np.array(0.5, np.float32), "t": whole(1)}, [value("z", ["n", 4])], [value("y", [1])]), "at random"),
    "many": (model([node("Tanh", ["z"], ["y"])] * 60_000, {}, [value("z", ["n", 4])], [value("y", [1])]), "too many steps"),
    "no noise": (one_node("Relu", ["z"], ["y"]).replace(b"\x12\x01n\x0a\x02\x08\x04", b"\x12\x01n\x0a\x02\x08\x01"), "no noise"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_run_is_said_in_one_sentence(kind, tmp_path):
    data, wanted = REFUSED[kind]
    one = network(tmp_path, data)
    begun = time.process_time()
    with pytest.raises(UnlikeError) as caught:
        feeding.rebuild(one, Hints())
    assert time.process_time() - begun < 2
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)


SOUND = model(NODES, DCGAN, [value("z", ["n", 6])], [value("image", ["n", 1, 8, 8])])


@pytest.mark.parametrize(
    "data",
    [
        SOUND[:100], SOUND[:-7], SOUND + b"\xff" * 9, b"\x08\x08\x12\x04hand", SOUND + SOUND,
        SOUND.replace(b"\x12\x04hand", b"\x12\x7fhand"), b"\x08\x08\x3a" + b"\xff" * 9 + b"\x01",
    ],
)  # fmt: skip
def test_damaged_files_get_one_sentence(data, tmp_path):
    (tmp_path / "netG.onnx").write_bytes(data)
    with pytest.raises(GandoctorError) as caught:
        contents.read(tmp_path / "netG.onnx")
    assert "\n" not in str(caught.value)


def test_the_command_and_the_report_say_it(tmp_path):
    folder = run_with(tmp_path / "run")
    (folder / "netG.onnx").write_bytes(SOUND)
    (folder / "netD.onnx").write_bytes(one_node("Einsum", ["z"], ["y"]))
    (folder / "samples").mkdir()
    np.save(folder / "samples" / "real.npy", np.tanh(weights(64, 8, 8, 1)))
    assert "the file holds its graph, too (ONNX)" in inspecting.show(folder / "netG.onnx")
    report = api.analyze(folder)
    (drawn,) = report.drawn
    assert drawn.how.startswith("from the graph in the file (ONNX), from 6 values of")
    assert any("D was not run: its graph holds Einsum" in n for n in report.run.notes)
