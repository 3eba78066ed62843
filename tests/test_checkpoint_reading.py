"""Checkpoints as torch and others write them, against their own readers, bit for bit."""

from __future__ import annotations

import argparse
import collections
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import npz

from gandoctor.checkpoint import contents
from gandoctor.checkpoint.tensors import Tensor, Unread
from gandoctor.errors import GandoctorError

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "zoo" / "runs"


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def nets(torch):
    torch.manual_seed(0)
    nn = torch.nn
    G = nn.Sequential(
        nn.Linear(8, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Unflatten(1, (8, 2, 2)),
        nn.ConvTranspose2d(8, 3, 4, 2, 1),
        nn.Tanh(),
    )
    D = nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(16, 1),
    )
    return G, D


def trained(torch):
    G, D = nets(torch)
    og = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9))
    od = torch.optim.RMSprop(D.parameters(), 2e-3)
    for _ in range(3):
        loss = D(G(torch.randn(16, 8))).mean()
        og.zero_grad()
        od.zero_grad()
        loss.backward()
        og.step()
        od.step()
    return G, D, og, od


def plainly(torch, tensor):
    """As our reader gives it: bfloat16 has no numpy kind, and comes as float32."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def same(torch, network, state):
    assert list(network.tensors) == list(state)
    for name, wanted in state.items():
        found = network.tensors[name].read()
        expected = plainly(torch, wanted)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes(), name


KINDS = (
    *("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"),
    *("bool", "complex64", "complex128", "uint16", "uint32", "uint64"),
)
WAYS = {
    "zip": lambda torch, value, path: torch.save(value, path),
    "zip of protocol 4": lambda torch, value, path: torch.save(value, path, pickle_protocol=4),
    "before 1.6": lambda torch, value, path: torch.save(
        value, path, _use_new_zipfile_serialization=False
    ),
    "plain pickle": lambda torch, value, path: path.write_bytes(pickle.dumps(value)),
    "plain pickle of protocol 5": lambda torch, value, path: path.write_bytes(
        pickle.dumps(value, protocol=5)
    ),
    "plain pickle of protocol 0": lambda torch, value, path: path.write_bytes(
        pickle.dumps(value, protocol=0)
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_number_equals_torchs_own(torch, way, tmp_path):
    state = {}
    for kind in KINDS:
        made = torch.arange(-3, 9) if not kind.startswith("u") else torch.arange(12)
        state[f"of.{kind}"] = (made * 1.25).to(getattr(torch, kind)).reshape(3, 4)
    state["of.transposed"] = torch.randn(5, 7).t()
    state["of.part"] = torch.randn(10, 4)[3:8:2, 1:]
    state["of.one"] = torch.tensor(3.5)
    state["of.none"] = torch.zeros(0, 4)
    state["of.expanded"] = torch.randn(1, 4).contiguous()
    state["of.tied"] = state["of.part"]
    file = tmp_path / "netG.pkl"
    WAYS[way](torch, state, file)
    (network,) = contents.read(file).networks
    same(torch, network, state)


def test_what_is_not_read_is_said(torch, tmp_path):
    state = {
        "a.weight": torch.randn(2, 2),
        "a.bias": torch.randn(2),
        "a.small": torch.randn(3).to(torch.float8_e4m3fn),
        "a.sparse": torch.eye(3).to_sparse(),
        "a.wide": torch.zeros(1).expand(1000),
    }
    torch.save(state, tmp_path / "netG.pt")
    (network,) = contents.read(tmp_path / "netG.pt").networks
    said = {k: t.why for k, t in network.tensors.items() if isinstance(t, Unread)}
    assert "float8" in said["a.small"]
    assert "sparse" in said["a.sparse"]
    assert "many times over" in said["a.wide"]
    assert network.tensors["a.weight"].read().tobytes() == state["a.weight"].numpy().tobytes()


@pytest.mark.parametrize("way", WAYS)
def test_a_training_state(torch, way, tmp_path):
    G, D, og, od = trained(torch)
    state = {
        "g": G.state_dict(),
        "d": D.state_dict(),
        "g_ema": G.state_dict(),
        "g_optim": og.state_dict(),
        "d_optim": od.state_dict(),
        "iteration": 1200,
        "args": argparse.Namespace(lr_g=0.001, batch=16, betas=(0.5, 0.9), name="x"),
        "path": Path("x"),
        "extra": collections.defaultdict(list, a=[1]),
    }
    file = tmp_path / "000100.pt"
    WAYS[way](torch, state, file)
    found = contents.read(file)
    assert [(n.name, n.role, n.average) for n in found.networks] == [
        ("g", "g", False),
        ("d", "d", False),
        ("g_ema", "g", True),
    ]
    same(torch, found.networks[0], G.state_dict())
    same(torch, found.networks[1], D.state_dict())
    assert found.step == 1200
    assert [(o.role, o.kind) for o in found.optimisers] == [("g", "Adam"), ("d", "RMSprop")]
    assert found.optimisers[0].options["beta1"] == 0.5
    assert found.optimisers[0].steps() == 3
    wanted = og.state_dict()["state"][0]["exp_avg_sq"].numpy()
    assert found.optimisers[0].states[0]["exp_avg_sq"].read().tobytes() == wanted.tobytes()
    assert dict(found.settings)["lr_g"] == 0.001
    assert dict(found.settings)["betas.0"] == 0.5
    assert found.networks[0].parameters == sum(p.numel() for p in G.parameters())
    assert found.networks[1].parameters == sum(p.numel() for p in D.parameters())
    assert not found.foreign


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_module_with_its_settings(torch, way, tmp_path):
    G, _, _, _ = trained(torch)
    WAYS[way](torch, G, tmp_path / "gen_model.pth")
    (network,) = contents.read(tmp_path / "gen_model.pth").networks
    assert network.role == "g"
    for name, wanted in G.state_dict().items():
        assert network.tensors[name].read().tobytes() == wanted.numpy().tobytes()
    layers = network.module.children
    assert layers["4"].name == "ConvTranspose2d"
    assert layers["4"].settings["stride"] == (2, 2)
    assert layers["1"].settings["eps"] == 1e-5


def test_torchscript_and_exported_programs(torch, tmp_path):
    G, _, _, _ = trained(torch)
    G.eval()
    torch.jit.script(G).save(str(tmp_path / "g.pt"))
    found = contents.read(tmp_path / "g.pt")
    assert found.kind == "TorchScript"
    for name, wanted in G.state_dict().items():
        assert found.networks[0].tensors[name].read().tobytes() == wanted.numpy().tobytes()
    torch.export.save(torch.export.export(G, (torch.randn(2, 8),)), tmp_path / "g.pt2")
    found = contents.read(tmp_path / "g.pt2")
    assert found.kind == "torch.export"
    for name, wanted in G.state_dict().items():
        assert found.networks[0].tensors[name].read().tobytes() == wanted.numpy().tobytes()


def test_one_mapping_of_several_networks(torch, tmp_path):
    G, D, og, od = trained(torch)
    state = {f"generator.{k}": v for k, v in G.state_dict().items()}
    state |= {f"discriminator.{k}": v for k, v in D.state_dict().items()}
    saved = {
        "epoch": 3,
        "global_step": 77,
        "state_dict": state,
        "optimizer_states": [og.state_dict(), od.state_dict()],
        "hyper_parameters": {"lr": 1e-3, "latent_dim": 8},
    }
    torch.save(saved, tmp_path / "epoch=3-step=77.ckpt")
    found = contents.read(tmp_path / "epoch=3-step=77.ckpt")
    assert [n.role for n in found.networks] == ["g", "d"]
    same(torch, found.networks[0], G.state_dict())
    assert found.step == 77
    assert dict(found.settings) == {"lr": 1e-3, "latent_dim": 8}


def test_an_object_with_its_source_as_stylegan_saves_it(torch, tmp_path):
    """The class is not importable where it is read, and nobody tries."""
    G, _, _, _ = trained(torch)
    source = "class Generator: pass"
    meta = {
        "type": "class",
        "version": 6,
        "module_src": source,
        "class_name": "Generator",
        "state": G.__dict__,
    }
    module = type("m", (), {})()
    module.__class__ = Persisted
    module.meta = meta
    (tmp_path / "network-snapshot-000100.pkl").write_bytes(
        pickle.dumps({"G": None, "D": None, "G_ema": module})
    )
    data = (tmp_path / "network-snapshot-000100.pkl").read_bytes()
    assert b"_reconstruct_persistent_obj" in data
    found = contents.read(tmp_path / "network-snapshot-000100.pkl")
    (network,) = found.networks
    assert (network.role, network.average, found.step) == ("g", True, 100)
    for name, wanted in G.state_dict().items():
        assert network.tensors[name].read().tobytes() == wanted.numpy().tobytes()


class Persisted:
    def __reduce__(self):
        return _reconstruct_persistent_obj, (self.meta,)


def _reconstruct_persistent_obj(meta):
    raise AssertionError("nobody calls this")


def test_npz_and_safetensors(torch, tmp_path):
    G, _, _, _ = trained(torch)
    state = {k: v.numpy() for k, v in G.state_dict().items()}
    npz(tmp_path / "gen_10.npz", **state, order=np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    (network,) = contents.read(tmp_path / "gen_10.npz").networks
    assert network.role == "g"
    for name, wanted in state.items():
        assert network.tensors[name].read().tobytes() == wanted.tobytes()
    assert network.tensors["order"].read().tolist() == [[0, 1, 2], [3, 4, 5]]
    safe = pytest.importorskip("safetensors.torch")
    bf16 = {
        k: v.to(torch.bfloat16) if v.is_floating_point() else v for k, v in G.state_dict().items()
    }
    safe.save_file(bf16, tmp_path / "netG.safetensors")
    (network,) = contents.read(tmp_path / "netG.safetensors").networks
    for name, wanted in bf16.items():
        assert network.tensors[name].read().tobytes() == plainly(torch, wanted).tobytes()


def test_safetensors_by_hand(tmp_path):
    from checkpoint_files import NUMBERS, _safetensors

    header = {
        "__metadata__": {"format": "pt"},
        "main.0.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    }
    (tmp_path / "netD.safetensors").write_bytes(_safetensors(header, NUMBERS))
    (network,) = contents.read(tmp_path / "netD.safetensors").networks
    assert network.role == "d"
    assert network.tensors["main.0.weight"].read().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    weight = np.random.default_rng(0).normal(size=(3, 3, 2, 4)).astype(np.float32)
    (tmp_path / "secret").write_bytes(b"secret" * 10)
    file = tmp_path / "generator_weights.h5"
    with h5py.File(file, "w") as out:
        out.attrs["layer_names"] = ["conv"]
        out["conv/conv/kernel:0"] = weight
        out["other"] = h5py.ExternalLink("secret", "/x")
        out["soft"] = h5py.SoftLink("/conv")
        out["loop"] = out["conv"]
        out.create_dataset("leak", (6,), "u1", external=[(str(tmp_path / "secret"), 0, 6)])
        out.create_dataset("huge", (10**7, 10**7), "f4", chunks=(10, 10))
    (network,) = contents.read(file).networks
    assert network.tensors["conv/conv/kernel:0"].read().tobytes() == weight.tobytes()
    said = {k: t.why for k, t in network.tensors.items() if isinstance(t, Unread)}
    assert said.keys() == {"other", "soft", "leak", "huge"}
    buffer = io.BytesIO(file.read_bytes())
    with zipfile.ZipFile(tmp_path / "g.keras", "w") as out:
        out.writestr("config.json", "{}")
        out.writestr("model.weights.h5", buffer.getvalue())
    found = contents.read(tmp_path / "g.keras")
    assert found.kind == "Keras"
    assert found.networks[0].tensors["conv/conv/kernel:0"].read().tobytes() == weight.tobytes()


def test_hdf5_without_its_library(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "g.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(GandoctorError, match=r"pip install 'gandoctor\[keras\]'"):
        contents.read(tmp_path / "g.h5")


def test_a_table_of_tensorflow(tmp_path):
    values = {
        "generator/dense/kernel": np.arange(12, dtype=np.float32).reshape(3, 4),
        "generator/dense/bias": np.arange(4, dtype=np.float64),
        "global_step": np.array(7, dtype=np.int64),
    }
    tensorflow_files(tmp_path / "model.ckpt-100", values)
    (network,) = contents.read(tmp_path / "model.ckpt-100.index").networks
    for name, wanted in values.items():
        assert network.tensors[name].read().tobytes() == wanted.tobytes()
    (tmp_path / "model.ckpt-100.data-00000-of-00001").unlink()
    (network,) = contents.read(tmp_path / "model.ckpt-100.index").networks
    assert all(isinstance(t, Unread) for t in network.tensors.values())
    data = (tmp_path / "model.ckpt-100.index").read_bytes()
    (tmp_path / "broken.index").write_bytes(data[:20] + data[-48:])
    with pytest.raises(GandoctorError, match="damaged"):
        contents.read(tmp_path / "broken.index")


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def tensorflow_files(stem, values):
    """As TensorFlow lays them out: one data file, one table with prefix-coded keys."""
    kinds = {"float32": 1, "float64": 2, "int64": 9}
    data, rows = b"", [(b"", b"\x08\x01")]
    for name, value in sorted(values.items()):
        dims = b"".join(
            b"\x12" + bytes([len(d)]) + d for d in (b"\x08" + varint(n) for n in value.shape)
        )
        entry = b"\x08" + varint(kinds[value.dtype.name]) + b"\x12" + bytes([len(dims)]) + dims
        if data:
            entry += b"\x20" + varint(len(data))
        entry += b"\x28" + varint(value.nbytes)
        rows.append((name.encode(), entry))
        data += value.tobytes()

    def block(them):
        out, last = b"", b""
        for key, value in them:
            shared = 0
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
            out += (
                varint(shared)
                + varint(len(key) - shared)
                + varint(len(value))
                + key[shared:]
                + value
            )
            last = key
        return out + b"\0\0\0\0" + b"\x01\0\0\0"

    table = block(rows)
    body = table + b"\0" + bytes(4)
    index = block([(b"z", varint(0) + varint(len(table)))])
    footer = varint(0) + varint(0) + varint(len(body)) + varint(len(index))
    magic = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
    whole = body + index + b"\0" + bytes(4) + footer + bytes(40 - len(footer)) + magic
    stem.with_name(f"{stem.name}.index").write_bytes(whole)
    stem.with_name(f"{stem.name}.data-00000-of-00001").write_bytes(data)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_the_corpus_equals_torchs_own_reading(torch):
    for file in sorted(CORPUS.glob("*/*.pt")):
        wanted = torch.load(file, map_location="cpu", weights_only=True)
        found = contents.read(file)
        assert found.step == wanted["step"]
        for network in found.networks:
            same(torch, network, wanted[network.name])
        assert [n.role for n in found.networks] == ["g", "d"]


def test_a_tensor_is_read_where_it_is_asked_for(torch, tmp_path):
    torch.save({"a.weight": torch.randn(3), "a.bias": torch.randn(3)}, tmp_path / "g.pt")
    (network,) = contents.read(tmp_path / "g.pt").networks
    (tmp_path / "g.pt").write_bytes(b"gone")
    tensor = network.tensors["a.weight"]
    assert isinstance(tensor, Tensor)
    with pytest.raises(GandoctorError, match="ends too early"):
        tensor.read()
