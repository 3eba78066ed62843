"""Graphs from strangers: nothing of them runs, each costs little, each gets one sentence."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
import weakref
import zipfile
from pathlib import Path

import pytest
from checkpoint_files import NUMBERS, PROTO, name, tensor, text

from gandoctor.checkpoint import contents
from gandoctor.checkpoint.graphs import feeding
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.rebuilt import Hints
from gandoctor.errors import GandoctorError

HEAD = """class G(Module):
  __parameters__ = ["weight", ]
  weight : Tensor
  def forward(self: __torch__.G,
    z: Tensor) -> Tensor:
"""
SOUND = "    return torch.linear(z, self.weight)\n"


def script(path, body=SOUND, head=HEAD, more=b""):
    """A TorchScript file of one module with a weight of 2 x 3."""
    module = name("__torch__", "G") + b")\x81}(" + text("weight") + tensor() + more + b"ub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("netG/data.pkl", PROTO + module + b".")
        archive.writestr("netG/data/0", NUMBERS)
        code = head + body if isinstance(body, str) else body
        archive.writestr("netG/code/__torch__.py", code)
        archive.writestr("netG/version", b"3\n")


def meta(*sizes):
    return {
        "dtype": 7,
        "sizes": [{"as_int": n} for n in sizes],
        "strides": [{"as_int": 1} for _ in sizes],
        "storage_offset": {"as_int": 0},
    }


def node(target, inputs, output="y"):
    args = [{"name": "x", "arg": a, "kind": 1} for a in inputs]
    return {"target": target, "inputs": args, "outputs": [{"as_tensor": {"name": output}}]}


Z, W = {"as_tensor": {"name": "z"}}, {"as_tensor": {"name": "w"}}
LINEAR = node("torch.ops.aten.linear.default", [Z, W])


def program(path, nodes=(LINEAR,), given=(4, 3), output="y", text_of=None):
    """A program of torch.export with a weight of 2 x 3."""
    weight = {**meta(2, 3), "strides": [{"as_int": 3}, {"as_int": 1}]}
    specs = [
        {"parameter": {"arg": {"name": "w"}, "parameter_name": "w"}},
        {"user_input": {"arg": Z}},
    ]
    signature = {
        "input_specs": specs,
        "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": output}}}}],
    }
    graph = {"nodes": list(nodes), "tensor_values": {"z": meta(*given), "w": weight}}
    model = {"graph_module": {"graph": graph, "signature": signature}}
    config = {"config": {"w": {"path_name": "weight_0", "tensor_meta": weight}}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("netG/models/model.json", text_of or json.dumps(model))
        archive.writestr("netG/data/weights/model_weights_config.json", json.dumps(config))
        archive.writestr("netG/data/weights/weight_0", NUMBERS)


def of_body(body):
    return lambda path: script(path, body)


def doubled(times, join="torch.cat([x, x], 1)"):
    return "    x = z\n" + f"    x = {join}\n" * times + "    return x\n"


def calls(target, *more):
    return lambda path: program(path, [node(f"torch.ops.aten.{target}.default", [Z, *more])])


MARK = "open('MARKER', 'w')"
HOSTILE = {
    "an unknown operator": (of_body("    return torch.fft_fft(z)\n"), "holds fft_fft, which is not run"),
    "noise of its own": (of_body("    return torch.randn_like(z)\n"), "draws random numbers"),
    "a call": (of_body(f"    return {MARK}\n"), "calls open, which is not run"),
    "a shell": (of_body("    return os.system('touch MARKER')\n"), "calls os.system"),
    "an import": (of_body("    import os\n    return z\n"), "not run here (Import)"),
    "a lambda": (of_body("    return (lambda: z)()\n"), "not run here (Lambda)"),
    "a class": (of_body("    return self.__class__\n"), "asks for __class__"),
    "an array's own": (of_body("    return z.tofile('MARKER')\n"), "does not fit"),
    "a loop": (of_body("    while True:\n      pass\n    return z\n"), "too many steps"),
    "a count": (of_body("    for i in range(1000000000000):\n      pass\n    return z\n"), "too many steps"),
    "itself": (of_body("    return (self).forward(z, )\n"), "calls itself"),
    "doubled": (of_body(doubled(60)), "too large"),
    "doubled lists": (of_body(doubled(60, "[x, x]").replace("return x", "return torch.add(x, x)")), "s"),
    "lists compared": (
        of_body(doubled(60, "[x, x]") .replace("return x", "y = [z]\n    return torch.eq(x, [[z], [z]])")),
        "does not fit",
    ),
    "a huge array": (of_body("    return torch.zeros([1000000, 1000000])\n"), "too large"),
    "a huge view": (of_body("    return torch.expand(z, [1000000, 1000000, 3])\n"), "too large"),
    "a huge number": (of_body("    x = 9\n" + "    x = torch.mul(x, x)\n" * 40), "does not fit"),
    "a huge power": (of_body("    return torch.pow(9, 999999999)\n"), "does not fit"),
    "parentheses": (of_body("    return " + "(" * 5000 + "z" + ")" * 5000 + "\n"), "cannot be read"),
    "minuses": (of_body("    return " + "-" * 50_000 + "1\n"), "cannot be read"),
    "dots": (of_body("    return z" + ".a" * 50_000 + "\n"), "cannot be read"),
    "no code": (of_body("  )(\n"), "cannot be read"),
    "zeros": (of_body(b"\0" * 99), "cannot be read"),
    "much code": (of_body("    x = z\n" * 100_000), "too long"),
    "another method": (lambda p: script(p, head=HEAD.replace("forward", "backward")), "lacks G.forward"),
    "other things": (lambda p: script(p, head=HEAD.replace("z: Tensor", "z: Dict[str, Tensor]")), "of kind Dict"),
    "a picture": (lambda p: program(p, given=(4, 3, 64, 64)), "is a picture"),
    "a wide batch": (lambda p: program(p, given=(1 << 30, 3)), "too large"),
    "wide noise": (lambda p: program(p, given=(4, 1 << 30)), "no noise"),
    "negative noise": (lambda p: program(p, given=(4, -3)), "damaged"),
    "no shape": (lambda p: program(p, given=(4, 2.5)), "damaged"),
    "a later value": (lambda p: program(p, [node("torch.ops.aten.relu.default", [W | {}], "y"), LINEAR], output="q"), "damaged"),
    "a cycle": (lambda p: program(p, [node("torch.ops.aten.relu.default", [{"as_tensor": {"name": "y"}}])]), "damaged"),
    "other libraries": (lambda p: program(p, [node("torch.ops.evil.run.default", [Z])]), "holds torch.ops.evil"),
    "a kernel of nothing": (calls("conv2d", W), "does not fit"),
    "a negative stride": (calls("conv2d", W, {"as_none": True}, {"as_ints": [-1, -1]}), "does not fit"),
    "a huge pad": (calls("constant_pad_nd", {"as_ints": [1 << 40, 1 << 40]}), "does not fit"),
    "a huge upsampling": (calls("upsample_nearest2d", {"as_ints": [1 << 15, 1 << 15]}), "does not fit"),
    "a wrong kind": (calls("linear", {"as_string": "w"}), "does not fit"),
    "words for numbers": (calls("reshape", {"as_string": "(((("}), "does not fit"),
    "many nodes": (lambda p: program(p, [node("torch.ops.aten.tanh.default", [Z], "y")] * 60_000), "bytes of"),
    "deep": (lambda p: program(p, text_of="[" * 100_000), "damaged"),
    "no JSON": (lambda p: program(p, text_of="{"), "damaged"),
    "a list": (lambda p: program(p, text_of="[]"), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_runs_and_one_sentence_is_said(kind, tmp_path, monkeypatch):
    make, wanted = HOSTILE[kind]
    monkeypatch.chdir(tmp_path)
    make(Path("netG.pt"))
    begun = time.process_time()
    (network,) = contents.read(Path("netG.pt")).networks
    with pytest.raises(UnlikeError) as caught:
        feeding.rebuild(network, Hints())
    assert time.process_time() - begun < 1
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["netG.pt"]


@pytest.mark.parametrize("make", [script, program])
def test_sound_ones_made_alike_run(make, tmp_path):
    make(tmp_path / "netG.pt")
    (network,) = contents.read(tmp_path / "netG.pt").networks
    assert len(feeding.rebuild(network, Hints())) == 3


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no such accounts")
def test_they_cost_little_memory(tmp_path):
    for i, (make, _) in enumerate(HOSTILE.values()):
        make(tmp_path / f"netG_{i}.pt")
    code = (
        "import sys, pathlib, re\n"
        "from gandoctor import checkpoint\n"
        "files = sorted(pathlib.Path(sys.argv[1]).glob('*.pt'))\n"
        "for one in files:\n"
        "    drawn, notes = checkpoint.draw(checkpoint.gather([one]), one.parent, {})\n"
        "    assert not drawn and len(notes) == 1, (one, notes)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 300_000


def test_what_was_made_is_gone_afterwards(tmp_path):
    body = "    x = torch.tanh(torch.linear(z, self.weight))\n    return x\n"
    script(tmp_path / "netG.pt", body)
    (network,) = contents.read(tmp_path / "netG.pt").networks
    feeding.rebuild(network, Hints())
    gc.collect()
    before = len(weakref.finalize._registry)
    for _ in range(3):
        feeding.rebuild(network, Hints())
    gc.collect()
    assert len(weakref.finalize._registry) == before


def test_programs_of_older_torch_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "netG.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
        archive.writestr("serialized_state_dict.pt", b"")
    with pytest.raises(GandoctorError, match="export it again"):
        contents.read(tmp_path / "netG.pt2")
