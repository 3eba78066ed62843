"""Checkpoints from strangers: nothing of them runs, each costs little, each gets one sentence."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from checkpoint_files import HOSTILE, PROTO, tensor, zipped

from gandoctor import checkpoint, inspecting
from gandoctor.checkpoint import contents
from gandoctor.checkpoint.tensors import Tensor
from gandoctor.errors import GandoctorError


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_runs_and_one_sentence_is_said(kind, tmp_path):
    make, wanted = HOSTILE[kind]
    file, marker = tmp_path / "netG.pt", tmp_path / "marker"
    make(file, marker)
    begun = time.process_time()
    try:
        found = contents.read(file)
        sizes = [
            t.read().size
            for n in found.networks
            for t in n.tensors.values()
            if isinstance(t, Tensor)
        ]
        said = "read"
    except GandoctorError as e:
        said, sizes = str(e), []
    assert time.process_time() - begun < 1
    assert not marker.exists()
    assert wanted in said, said
    assert "\n" not in said
    assert sum(sizes) <= 100


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no such accounts")
def test_they_cost_little_memory(tmp_path):
    for i, (make, _) in enumerate(HOSTILE.values()):
        make(tmp_path / f"{i}.pt", tmp_path / "marker")
    program = (
        "import sys, pathlib, re\n"
        "from gandoctor.checkpoint import contents\n"
        "from gandoctor.errors import GandoctorError\n"
        "for p in sorted(pathlib.Path(sys.argv[1]).glob('*.pt')):\n"
        "    try: contents.read(p)\n"
        "    except GandoctorError: pass\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not (tmp_path / "marker").exists()
    assert int(done.stdout) / 1024 <= 300  # MB


def test_what_it_would_call_is_listed(tmp_path):
    make, _ = HOSTILE["a call before the weights"]
    make(tmp_path / "netG.pt", tmp_path / "marker")
    found = contents.read(tmp_path / "netG.pt")
    assert found.foreign == ("builtins.open",)
    assert [n.role for n in found.networks] == ["g"]
    make, _ = HOSTILE["a member of torch that loads"]
    make(tmp_path / "netG.pt", tmp_path / "marker")
    assert contents.read(tmp_path / "netG.pt").foreign == ("torch.hub.load",)


def test_a_storage_that_was_changed_is_said(tmp_path):
    from checkpoint_files import GOOD, _flipped

    file = tmp_path / "netG.pt"
    zipped(file, PROTO + GOOD + b".")
    _flipped(file)
    weight = contents.read(file).networks[0].tensors["main.0.weight"]
    with pytest.raises(GandoctorError, match="check sum"):
        weight.read()


def test_a_pipe_is_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "netG.pt")
    with pytest.raises(GandoctorError, match="regular file"):
        contents.read(tmp_path / "netG.pt")
    with pytest.raises(GandoctorError, match="read"):
        contents.read(tmp_path / "nothing.pt")


def test_a_large_file_costs_what_is_asked_of_it(tmp_path):
    """Two gigabytes of a hole: only the small tensor is read."""
    file = tmp_path / "netG.pt"
    from checkpoint_files import NUMBERS, state_dict, storage

    with Path(file).open("wb") as out:
        import struct

        pickle = (
            PROTO
            + state_dict(
                a__b=tensor((1 << 29,), (1,), stored=storage("0", 1 << 29)),
                a__c=tensor(stored=storage("1")),
            ).replace(b"tQ", b"NtQ")
            + b"."
        )
        from checkpoint_files import legacy, text

        legacy(file, pickle[2:-1], b"", b"](" + text("0") + text("1") + b"e")
        out.seek(0, 2)
        out.write(struct.pack("<q", 1 << 29))
        out.seek(4 << 29, 1)
        out.write(struct.pack("<q", 6) + NUMBERS)
    begun = time.process_time()
    found = contents.read(file).networks[0]
    assert found.tensors["a.c"].read().tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(GandoctorError, match="larger"):
        found.tensors["a.b"].read()
    assert time.process_time() - begun < 0.5


def test_a_program_without_weights_is_named(tmp_path):
    (tmp_path / "netG.pt").write_bytes(PROTO + b"cos\nsystem\n(V true\ntR.")
    (tmp_path / "netD.pt").write_bytes(PROTO + b"}.")
    saved = checkpoint.examine(checkpoint.gather(sorted(tmp_path.iterdir())), tmp_path)
    assert not saved.notes
    assert [r.partition(":")[0] for r in saved.remarks] == [
        "netG.pt holds no weights, and loading it with pickle would call os.system"
    ]
    assert "os.system" in inspecting.show(tmp_path)
    with pytest.raises(GandoctorError, match="neither the weights"):
        inspecting.show(tmp_path / "netD.pt")
