"""Keras' models, laid out by hand as Keras 3 and Keras 2 lay them out; wanted values by hand, too."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gandoctor.checkpoint import contents
from gandoctor.checkpoint.contents import Network
from gandoctor.checkpoint.graphs import feeding, programs
from gandoctor.checkpoint.graphs.meter import Meter
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.plans import KERAS, Plan
from gandoctor.checkpoint.rebuilt import Hints
from gandoctor.checkpoint.tensors import of_array
from gandoctor.checkpoint.windows import Window

RNG = np.random.default_rng(0)


def weights(*shape):
    return RNG.normal(size=shape).astype(np.float32) * 0.3


def network(config, arrays):
    held = {k: of_array(v, Window(Path("g"), 0, 0)) for k, v in arrays.items()}
    plan = Plan(KERAS, lambda: {"config": json.dumps(config).encode()}, held)
    return Network("generator", "g", False, "", held, None, plan)


def run(config, arrays, *given):
    return programs.of(network(config, arrays).plan).run([*map(np.array, given)], Meter())


# ---------------------------------------------------------------- what Keras says of its layers


def convolved(x, kernel, step, same):
    """Each output pixel a sum over its window, as TensorFlow places it."""
    n, high, wide, _ = x.shape
    a, b, _, out = kernel.shape
    rows, columns = (
        (-(-s // step) if same else (s - k) // step + 1) for s, k in ((high, a), (wide, b))
    )
    top, left = (
        max((o - 1) * step + k - s, 0) // 2 if same else 0
        for o, k, s in ((rows, a, high), (columns, b, wide))
    )
    found = np.zeros((n, rows, columns, out))
    for i, j, p, q in np.ndindex(rows, columns, a, b):
        r, c = i * step + p - top, j * step + q - left
        if 0 <= r < high and 0 <= c < wide:
            found[:, i, j] += x[:, r, c] @ kernel[p, q]
    return found


def transposed(x, kernel, step, same):
    """The gradient of `convolved` by what goes in: each pixel is spread over a window."""
    n, high, wide, _ = x.shape
    a, b, out, _ = kernel.shape
    rows, columns = (
        s * step if same else (s - 1) * step + max(k, step) for s, k in ((high, a), (wide, b))
    )
    top, left = (max(k - step, 0) // 2 if same else 0 for k in (a, b))
    found = np.zeros((n, rows, columns, out))
    for i, j, p, q in np.ndindex(high, wide, a, b):
        r, c = i * step + p - top, j * step + q - left
        if 0 <= r < rows and 0 <= c < columns:
            found[:, r, c] += x[:, i, j] @ kernel[p, q].T
    return found


def normed(x, eps, *held):
    gamma, beta, mean, var = held
    return (x - mean) / np.sqrt(var + eps) * gamma + beta


def leaky(x, slope):
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def layer(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, **config}, "name": name}


def sequential(*layers, name="generator"):
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def first(x):
    return np.moveaxis(x, -1, 1)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("size", [2, 3, 4, 5])
@pytest.mark.parametrize("way", ["Conv2D", "Conv2DTranspose"])
def test_convolutions_lie_where_tensorflow_places_them(way, size, step, same):
    kernel, bias, x = (
        weights(size, size, 2, 3),
        weights(3 if way == "Conv2D" else 2),
        weights(2, 6, 7, 2),
    )
    x = x if way == "Conv2D" else weights(2, 6, 7, 3)
    settings = {"strides": [step, step], "padding": "same" if same else "valid"}
    config = sequential(
        layer("InputLayer", "i", batch_shape=[None, 6, 7, x.shape[-1]]), layer(way, "c", **settings)
    )
    stem = {"Conv2D": "conv2d", "Conv2DTranspose": "conv2d_transpose"}[way]
    found = run(config, {f"layers/{stem}/vars/0": kernel, f"layers/{stem}/vars/1": bias}, first(x))
    by_hand = {"Conv2D": convolved, "Conv2DTranspose": transposed}[way]
    wanted = first(by_hand(x.astype(float), kernel, step, same) + bias)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-5


DCGAN = sequential(
    layer("InputLayer", "input", batch_shape=[None, 6], dtype="float32"),
    layer("Dense", "dense_7", use_bias=False, activation="linear"),
    layer("BatchNormalization", "bn", axis=-1, epsilon=0.01, momentum=0.8),
    layer("LeakyReLU", "lr", negative_slope=0.3),
    layer("Reshape", "r", target_shape=[2, 2, 4]),
    layer("UpSampling2D", "up", size=[2, 2], interpolation="nearest"),
    layer("Conv2D", "conv", strides=[1, 1], padding="same", activation="relu"),
    layer("Dropout", "drop", rate=0.5),
    layer("BatchNormalization", "bn_9", axis=[3], epsilon=0.001, scale=False),
    layer(
        "Conv2DTranspose",
        "t",
        strides=[2, 2],
        padding="same",
        activation="tanh",
        output_padding=None,
    ),
)


def test_a_dcgan_as_keras_3_lays_it_out():
    dense, bn, bn2 = (
        weights(6, 16),
        [np.abs(weights(16)) + 0.1 for _ in range(4)],
        [np.abs(weights(5)) + 0.1 for _ in range(3)],
    )
    conv, bias, last, offset = weights(3, 3, 4, 5), weights(5), weights(5, 5, 1, 5), weights(1)
    arrays = {
        "layers/dense/vars/0": dense,
        "layers/conv2d/vars/0": conv,
        "layers/conv2d/vars/1": bias,
    }
    arrays |= {f"layers/batch_normalization/vars/{i}": v for i, v in enumerate(bn)}
    arrays |= {f"layers/batch_normalization_1/vars/{i}": v for i, v in enumerate(bn2)}
    arrays |= {"layers/conv2d_transpose/vars/0": last, "layers/conv2d_transpose/vars/1": offset}
    z = weights(4, 6)
    h = leaky(normed(z @ dense, 0.01, *bn), 0.3).reshape(4, 2, 2, 4)
    h = h.repeat(2, axis=1).repeat(2, axis=2)
    h = np.maximum(convolved(h, conv, 1, True) + bias, 0)
    wanted = first(np.tanh(transposed(normed(h, 0.001, 1, *bn2), last, 2, True) + offset))
    assert np.abs(run(DCGAN, arrays, z) - wanted).max() < 1e-5
    for found in feeding.rebuild(network(DCGAN, arrays), Hints()):
        assert found.graph == "Keras"
        assert found.latent.shape == (6,)
        assert found.ops[-1].numbers["name"] == "tanh"
        assert np.abs(found.sample(z, 1) - wanted).max() < 1e-5


def old(*sources):
    """A call as Keras 2 has it."""
    return [[[s, 0, 0, {}] for s in sources]]


def new(*sources):
    """A call as Keras 3 has it."""
    them = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 4], "keras_history": [s, 0, 0]},
        }
        for s in sources
    ]
    return [{"args": [them] if len(them) > 1 else them, "kwargs": {"mask": None}}]


def conditional(call):
    """Classes times noise, a model within a model, a sum around it."""
    inner = sequential(
        layer("Dense", "d2", activation="softplus"), layer("Dense", "d3"), name="inner"
    )
    inner["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 4]
    said = [
        layer("InputLayer", "noise", batch_shape=[None, 4]),
        layer("InputLayer", "label", batch_shape=[None, 1], dtype="int32"),
        layer("Embedding", "e", input_dim=3, output_dim=4),
        layer("Flatten", "f"),
        layer("Multiply", "m"),
        {**inner, "name": "inner"},
        layer("Add", "sum"),
        layer("Concatenate", "both", axis=-1),
        layer("ReLU", "out", max_value=1.0, negative_slope=0.5, threshold=0.0),
    ]
    sources = [
        (),
        (),
        ("label",),
        ("e",),
        ("noise", "f"),
        ("m",),
        ("inner", "m"),
        ("sum", "m"),
        ("both",),
    ]
    for one, froms in zip(said, sources, strict=True):
        one["inbound_nodes"] = call(*froms) if froms else []
    ends = {"input_layers": [["noise", 0, 0], ["label", 0, 0]], "output_layers": [["out", 0, 0]]}
    # In another order than they run in.
    return {"class_name": "Functional", "config": {"layers": said[::-1], **ends}}


@pytest.mark.parametrize(
    ("call", "layout"), [(new, "placed"), (old, "named"), (new, "named"), (old, "placed")]
)
def test_a_model_of_branches_in_both_layouts(call, layout):
    table, a, b = weights(3, 4), [weights(4, 5), weights(5)], [weights(5, 4), weights(4)]
    if layout == "placed":
        inner = "layers/sequential/layers/dense"
        arrays = {
            "layers/embedding/vars/0": table,
            f"{inner}/vars/0": a[0],
            f"{inner}/vars/1": a[1],
        }
        arrays |= {f"{inner}_1/vars/0": b[0], f"{inner}_1/vars/1": b[1]}
    else:
        arrays = {"model_weights/e/e_5/embeddings:0": table, "optimizer_weights/iter:0": weights(1)}
        inner = "model_weights/inner/d"
        arrays |= {f"{inner}2/kernel:0": a[0], f"{inner}2/bias:0": a[1]}
        arrays |= {f"{inner}3/kernel:0": b[0], f"{inner}3/bias:0": b[1]}
    z, y = weights(5, 4), np.array([0, 2, 1, 1, 0])
    m = z * table[y]
    h = m + (np.log1p(np.exp(m @ a[0] + a[1])) @ b[0] + b[1])
    both = np.concatenate([h, m], axis=1)
    wanted = np.minimum(leaky(both, 0.5), 1)
    config = conditional(call)
    assert np.abs(run(config, arrays, z, y[:, None]) - wanted).max() < 1e-5
    found = feeding.rebuild(network(config, arrays), Hints())[0]
    flat = np.concatenate([z, np.eye(3, dtype=np.float32)[y]], axis=1)
    assert np.abs(found.sample(flat, 1) - wanted).max() < 1e-5
    assert found.latent.embedding.shape == (3, 3)


def pictures(*layers, shape=(None, 6, 6, 4)):
    return sequential(layer("InputLayer", "i", batch_shape=list(shape)), *layers)


X = weights(2, 6, 6, 4)
ALPHA, GAMMA, BETA = weights(6, 1, 4), weights(4), weights(4)
MEAN, VAR = X.mean(axis=-1, keepdims=True), X.var(axis=-1, keepdims=True)
GROUPED = X.reshape(2, 6, 6, 2, 2)
BY_GROUP = (GROUPED - GROUPED.mean(axis=(1, 2, 4), keepdims=True)) / np.sqrt(
    GROUPED.var(axis=(1, 2, 4), keepdims=True) + 0.01
)
BLOCKS = X.reshape(2, 3, 2, 3, 2, 4)
SINGLE = {
    "p_re_lu": (layer("PReLU", "p", shared_axes=[2]), [ALPHA], np.maximum(X, 0) + ALPHA * np.minimum(X, 0)),
    "layer_normalization": (
        layer("LayerNormalization", "n", axis=-1, epsilon=0.1), [GAMMA, BETA],
        (X - MEAN) / np.sqrt(VAR + 0.1) * GAMMA + BETA,
    ),
    "group_normalization": (
        layer("GroupNormalization", "n", groups=2, epsilon=0.01), [GAMMA, BETA],
        BY_GROUP.reshape(X.shape) * GAMMA + BETA,
    ),
    "average_pooling2d": (layer("AveragePooling2D", "a", pool_size=[2, 2]), [], BLOCKS.mean(axis=(2, 4))),
    "max_pooling2d": (layer("MaxPooling2D", "a", pool_size=[2, 2], padding="valid"), [], BLOCKS.max(axis=(2, 4))),
    "cropping2d": (layer("Cropping2D", "c", cropping=[[1, 2], [0, 1]]), [], X[:, 1:-2, :-1]),
    "zero_padding2d": (
        layer("ZeroPadding2D", "c", padding=[[1, 0], [0, 2]]), [],
        np.pad(X, ((0, 0), (1, 0), (0, 2), (0, 0))),
    ),
    "permute": (layer("Permute", "p", dims=[2, 1, 3]), [], X.swapaxes(1, 2)),
    "elu": (layer("ELU", "e", alpha=0.5), [], np.where(X > 0, X, 0.5 * np.expm1(X))),
    "rescaling": (layer("Rescaling", "r", scale=2.0, offset=-1.0), [], X * 2 - 1),
    "activation": (
        layer("Activation", "a", activation="gelu"), [],
        X * 0.5 * (1 + np.vectorize(math.erf)(X / math.sqrt(2))),
    ),
    "softmax": (layer("Softmax", "s"), [], np.exp(X) / np.exp(X).sum(axis=-1, keepdims=True)),
    "global_average_pooling2d": (layer("GlobalAveragePooling2D", "g"), [], X.mean(axis=(1, 2))),
    "global_max_pooling2d": (layer("GlobalMaxPooling2D", "g"), [], X.max(axis=(1, 2))),
}  # fmt: skip


@pytest.mark.parametrize("stem", SINGLE)
def test_single_layers(stem):
    said, arrays, wanted = SINGLE[stem]
    found = run(
        pictures(said), {f"layers/{stem}/vars/{i}": v for i, v in enumerate(arrays)}, first(X)
    )
    wanted = first(wanted) if wanted.ndim > 2 else wanted
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-5


# ---------------------------------------------------------------- what is not run


def noise(*layers):
    return sequential(layer("InputLayer", "i", batch_shape=[None, 4]), *layers)


def waiting():
    config = conditional(new)
    for one in config["config"]["layers"]:
        if one["name"] == "m":
            one["inbound_nodes"] = new("noise", "sum")
    return config


def nested(depth):
    found = noise(layer("Activation", "a", activation="tanh"))
    for i in range(depth):
        found = sequential({**found, "name": f"m{i}"})
    return found


DENSE = {"layers/dense/vars/0": weights(4, 4), "layers/dense/vars/1": weights(4)}
REFUSED = {
    "code": (noise(layer("Lambda", "l", function="x")), {}, "is a Lambda, which is not run here"),
    "a class": (noise(layer("MinibatchStdDev", "l")), {}, "is a MinibatchStdDev"),
    "a model of one's own": ({"class_name": "GAN", "config": {}}, {}, "is a GAN, whose code"),
    "an activation": (noise(layer("Activation", "l", activation="hard_sigmoid")), {}, "hard_sigmoid"),
    "no weights": (noise(layer("Dense", "d")), {}, "not where they should be"),
    "a weight too many": (noise(layer("Dense", "d", use_bias=False)), DENSE, "not where they should"),
    "half precision": (noise(layer("Dense", "d", dtype="mixed_float16")), DENSE, "half precision"),
    "channels in front": (
        pictures(layer("UpSampling2D", "u", data_format="channels_first"), shape=(None, 1, 1, 4)), {},
        "data_format channels_first",
    ),
    "a huge enlargement": (pictures(layer("UpSampling2D", "u", size=[1 << 20, 2]), shape=(None, 1, 1, 4)), {}, "does not fit"),
    "enlarged again and again": (
        pictures(*(layer("UpSampling2D", f"u{i}", size=[200, 200]) for i in range(9)), shape=(None, 1, 1, 4)), {},
        "too large",
    ),
    "a shape that does not fit": (noise(layer("Reshape", "r", target_shape=[3, 3])), {}, "its layer r does not fit"),
    "a negative stride": (
        pictures(layer("AveragePooling2D", "r", strides=[-1, -1]), shape=(None, 1, 1, 4)), {}, "does not fit",
    ),
    "a cycle": (waiting(), {"layers/embedding/vars/0": weights(3, 4), **{
        f"layers/sequential/layers/dense{n}/vars/{i}": v
        for n, two in (("", [weights(4, 5), weights(5)]), ("_1", [weights(5, 4), weights(4)]))
        for i, v in enumerate(two)}}, "wait for one another"),
    "deep": (nested(40), {}, "whose code"),
    "many": (noise(*(layer("Activation", f"a{i}", activation="tanh") for i in range(3_000))), {}, "too many"),
    "a list": ([], {}, "damaged"),
    "no layers": (sequential(), {}, "damaged"),
    "words for sizes": (sequential(layer("InputLayer", "i", batch_shape=["x", 4])), {}, "damaged"),
    "a picture": (pictures(layer("Flatten", "f")), {}, "is a picture"),
    "trained in the call": (
        {"class_name": "Functional", "config": {"layers": [
            {**layer("InputLayer", "i", batch_shape=[None, 4]), "inbound_nodes": []},
            {**layer("Dropout", "d"), "inbound_nodes": [[["i", 0, 0, {"training": True}]]]}],
            "input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}}, {}, "called with training",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_run_is_said_in_one_sentence(kind):
    config, arrays, wanted = REFUSED[kind]
    with pytest.raises(UnlikeError) as caught:
        feeding.rebuild(network(config, arrays), Hints())
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- files


def test_files_are_read_with_their_configs(tmp_path):
    h5py = pytest.importorskip("h5py")
    config = noise(layer("Dense", "d", activation="tanh"))
    z = weights(3, 4)
    kernel, bias = DENSE.values()
    with h5py.File(tmp_path / "generator.h5", "w") as out:
        out.attrs["model_config"] = json.dumps(config)
        out["model_weights/d/d/kernel:0"], out["model_weights/d/d/bias:0"] = kernel, bias
    with h5py.File(tmp_path / "w.h5", "w") as out:
        for name, value in DENSE.items():
            out[name] = value
    with zipfile.ZipFile(tmp_path / "generator.keras", "w") as out:
        out.writestr("config.json", json.dumps(config))
        out.writestr("model.weights.h5", (tmp_path / "w.h5").read_bytes())
    for name in ("generator.h5", "generator.keras"):
        (one,) = contents.read(tmp_path / name).networks
        assert one.role == "g"
        for found in feeding.rebuild(one, Hints()):
            assert np.abs(found.sample(z, 1) - np.tanh(z @ kernel + bias)).max() < 1e-6
    (one,) = contents.read(tmp_path / "w.h5").networks
    assert one.plan is None
