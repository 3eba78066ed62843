"""Event files, against the libraries that write and read them, and against every kind of damage."""

from __future__ import annotations

import math
import struct
import time
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboardX.crc32c import crc32c as reference_crc
from tensorboardX.record_writer import masked_crc32c as reference_masked

from gandoctor.errors import InputError
from gandoctor.parsers import discover
from gandoctor.parsers.formats import tensorboard
from gandoctor.parsers.records import crc, tfrecord
from gandoctor.parsers.rows.names import MOST_NAMES
from gandoctor.parsers.rows.steps import Remarks, untangle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gandoctor.model.signals import Reading, Signal

HEAD = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


def record(payload: bytes) -> bytes:
    head = struct.pack("<Q", len(payload))
    sums = struct.pack("<I", reference_masked(head)), struct.pack("<I", reference_masked(payload))
    return head + sums[0] + payload + sums[1]


def scalar(tag: str, step: int, value: float, wall: float = 1.7e9) -> bytes:
    event = Event(wall_time=wall, step=step)
    event.summary.value.add(tag=tag, simple_value=value)
    return record(event.SerializeToString())


VERSION = record(Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString())


def put(folder: Path, *parts: bytes) -> Path:
    path = folder / "events.out.tfevents.1700000000.host.1.0"
    path.write_bytes(b"".join(parts))
    return path


def read(folder: Path, *parts: bytes) -> Reading:
    return tensorboard.read(put(folder, *parts))


def points(reading: Reading) -> dict[str, list[tuple[int, float]]]:
    return {
        s.tag: list(zip(s.steps.tolist(), s.values.tolist(), strict=True)) for s in reading.signals
    }


def only(reading: Reading) -> Signal:
    (signal,) = reading.signals
    return signal


# --- checksums ---


def test_checksum_of_the_standard_example() -> None:
    assert crc.crc32c(b"123456789") == 0xE3069283  # RFC 3720


@pytest.mark.parametrize("length", [0, 1, 7, 511, 512, 513, 1000, 4096, 70_001])
def test_checksum_agrees_with_tensorboardx(length: int) -> None:
    data = np.random.default_rng(length).bytes(length)
    assert crc.crc32c(data) == reference_crc(data)
    assert crc.masked(crc.crc32c(data)) == reference_masked(data)


@given(st.binary(min_size=1, max_size=400), st.data())
def test_a_changed_byte_changes_the_checksum_as_its_table_says(
    data: bytes, draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    new = draw.draw(st.integers(0, 255))
    changed = data[:at] + bytes([new]) + data[at + 1 :]
    table = crc.table(len(data) - 1 - at)
    assert crc.crc32c(changed) == crc.crc32c(data) ^ int(table[data[at]]) ^ int(table[new])


# --- against the writers ---


def test_tensorboardx_scalars_pictures_and_the_rest(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    rng = np.random.default_rng(0)
    losses = rng.normal(size=(300, 2)).astype(np.float32)
    picture = rng.integers(0, 255, (3, 9, 7), dtype=np.uint8)
    with SummaryWriter(str(tmp_path)) as writer:
        for step, (d, g) in enumerate(losses):
            writer.add_scalar("Loss/D", d, step)
            writer.add_scalar("Loss/G", g, step)
            if step % 100 == 0:
                writer.add_image("samples", picture, step)
                writer.add_histogram("weights", rng.normal(size=50), step)
        writer.add_scalar("odd", float("nan"), 5)
        writer.add_scalar("odd", float("inf"), 6)
        writer.add_text("config", "lr: 0.0002\nbetas: [0.5, 0.999]\nname: dcgan")
    (path,) = tmp_path.iterdir()
    reading = tensorboard.read(path)
    found = {s.tag: s for s in reading.signals}
    assert reading.lost is None
    for column, tag in enumerate(("Loss/D", "Loss/G")):
        assert found[tag].steps.tolist() == list(range(300))
        assert np.array_equal(found[tag].values, losses[:, column].astype(np.float64))
        assert (np.diff(found[tag].wall_time) >= 0).all()
    assert math.isnan(found["odd"].values[0])
    assert math.isinf(found["odd"].values[1])
    assert [p.step for p in reading.pictures] == [0, 100, 200]
    data = path.read_bytes()
    for one in reading.pictures:
        assert data[one.offset : one.offset + one.length].startswith(b"\x89PNG")
        assert data[one.offset : one.offset + one.length].endswith(b"IEND\xaeB`\x82")
        assert one.path == ""
    assert {s.key: s.value for s in reading.settings}["lr"] == 0.0002
    assert any("histogram" in note for note in reading.notes)


def test_hparams_become_settings(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_hparams(
            {"lr": 0.1, "batch": 64, "norm": "spectral", "ema": True}, {"fid": 3.0}, name="h"
        )
    (path,) = (tmp_path / "h").iterdir()
    reading = tensorboard.read(path)
    assert {s.key: s.value for s in reading.settings} == {
        "lr": 0.1,
        "batch": 64,
        "norm": "spectral",
        "ema": True,
    }
    assert {type(s.value) for s in reading.settings if s.key == "batch"} == {int}
    assert points(reading)["fid"][0][1] == 3.0


@pytest.mark.torch
def test_torch_summary_writer(tmp_path: Path) -> None:
    tensorboard_of_torch = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard_of_torch.SummaryWriter(str(tmp_path)) as writer:
        for step in range(50):
            writer.add_scalar("a", step / 7, step)
            writer.add_scalar("b", step / 3, step, new_style=True)
    (path,) = tmp_path.iterdir()
    found = {s.tag: s for s in tensorboard.read(path).signals}
    assert np.allclose(found["a"].values, np.arange(50) / 7)
    assert np.allclose(found["b"].values, np.arange(50) / 3)


def _tensor_event(
    step: int, fill: dict[str, object], *, dtype: int, plugin: str = "scalars", dims: int = 0
) -> bytes:
    event = Event(wall_time=1.7e9 + step, step=step)
    value = event.summary.value.add(tag="x")
    value.tensor.dtype = dtype
    value.tensor.tensor_shape.SetInParent()
    for _ in range(dims):
        value.tensor.tensor_shape.dim.add(size=1)
    for name, content in fill.items():
        if isinstance(content, list):
            getattr(value.tensor, name).extend(content)
        else:
            setattr(value.tensor, name, content)
    if plugin:
        value.metadata.plugin_data.plugin_name = plugin
    return record(event.SerializeToString())


def _half(value: float) -> int:
    return int(np.float16(value).view(np.uint16))


def _bfloat(value: float) -> int:
    return int(np.float32(value).view(np.uint32)) >> 16


ENCODINGS = [
    (1, lambda v: {"tensor_content": struct.pack("<f", v)}),
    (1, lambda v: {"float_val": [v]}),
    (2, lambda v: {"tensor_content": struct.pack("<d", v)}),
    (2, lambda v: {"double_val": [v]}),
    (3, lambda v: {"int_val": [int(v)]}),
    (3, lambda v: {"tensor_content": struct.pack("<i", int(v))}),
    (4, lambda v: {"int_val": [int(abs(v))]}),
    (4, lambda v: {"tensor_content": struct.pack("<B", int(abs(v)))}),
    (5, lambda v: {"tensor_content": struct.pack("<h", int(v))}),
    (6, lambda v: {"tensor_content": struct.pack("<b", int(v))}),
    (9, lambda v: {"int64_val": [int(v)]}),
    (9, lambda v: {"tensor_content": struct.pack("<q", int(v))}),
    (10, lambda v: {"bool_val": [v > 0]}),
    (14, lambda v: {"half_val": [_bfloat(v)]}),
    (14, lambda v: {"tensor_content": struct.pack("<H", _bfloat(v))}),
    (17, lambda v: {"tensor_content": struct.pack("<H", int(abs(v)))}),
    (19, lambda v: {"half_val": [_half(v)]}),
    (19, lambda v: {"tensor_content": struct.pack("<H", _half(v))}),
    (22, lambda v: {"uint32_val": [int(abs(v))]}),
    (23, lambda v: {"uint64_val": [int(abs(v))]}),
]


@pytest.mark.parametrize(("dtype", "fill"), ENCODINGS)
@pytest.mark.parametrize("dims", [0, 1])
def test_tensor_scalars_of_every_dtype_and_encoding(
    tmp_path: Path, dtype: int, fill: object, dims: int
) -> None:
    values = [float((-1) ** k * (k % 100)) for k in range(40)]
    reading = read(
        tmp_path,
        VERSION,
        *(_tensor_event(k, fill(v), dtype=dtype, dims=dims) for k, v in enumerate(values)),
    )  # type: ignore[operator]
    wanted = np.array(values)
    if dtype in (4, 17, 22, 23):
        wanted = np.abs(wanted)
    elif dtype == 10:
        wanted = (wanted > 0).astype(float)
    assert np.array_equal(only(reading).values, wanted)
    assert only(reading).steps.tolist() == list(range(40))


def test_unpacked_values_and_values_left_out(tmp_path: Path) -> None:
    # float_val as old writers put it: one tag per value instead of one length-delimited run.
    def event(tensor: bytes) -> bytes:
        value = b"\x0a\x01x" + b"\x42" + bytes([len(tensor)]) + tensor
        summary = b"\x0a" + bytes([len(value)]) + value
        return record(
            struct.pack("<Bd", 9, 1.7e9) + b"\x10\x07" + b"\x2a" + bytes([len(summary)]) + summary
        )

    assert only(
        read(tmp_path, event(b"\x08\x01\x12\x00\x2d" + struct.pack("<f", 1.5)))
    ).values.tolist() == [1.5]
    assert only(read(tmp_path, event(b"\x08\x01\x12\x00"))).values.tolist() == [0.0]


def test_tensors_that_are_no_scalars_are_counted(tmp_path: Path) -> None:
    two = _tensor_event(0, {"tensor_content": struct.pack("<2f", 1, 2)}, dtype=1)
    curve = _tensor_event(0, {"tensor_content": struct.pack("<f", 1)}, dtype=1, plugin="pr_curves")
    reading = read(tmp_path, VERSION, two, curve)
    assert reading.signals == ()
    assert any("2 tensor" in note for note in reading.notes)


def test_pictures_of_tf2(tmp_path: Path) -> None:
    event = Event(wall_time=1.7e9, step=3)
    value = event.summary.value.add(tag="generated")
    value.tensor.dtype = 7
    value.tensor.string_val.extend([b"4", b"4", b"\x89PNG-one", b"\x89PNG-two"])
    value.metadata.plugin_data.plugin_name = "images"
    path = put(tmp_path, VERSION, record(event.SerializeToString()))
    data = path.read_bytes()
    found = [
        (p.tag, p.step, data[p.offset : p.offset + p.length])
        for p in tensorboard.read(path).pictures
    ]
    assert found == [("generated", 3, b"\x89PNG-one"), ("generated", 3, b"\x89PNG-two")]


def test_several_values_in_one_event(tmp_path: Path) -> None:
    parts = []
    for step in range(100):
        event = Event(wall_time=1.7e9 + step, step=step)
        event.summary.value.add(tag="d", simple_value=step)
        event.summary.value.add(tag="g", simple_value=-step)
        event.summary.value.add(tag="zero")
        parts.append(record(event.SerializeToString()))
    found = points(read(tmp_path, VERSION, *parts))
    assert found["d"] == [(k, float(k)) for k in range(100)]
    assert found["g"] == [(k, float(-k)) for k in range(100)]


def test_tbparse_reads_the_same(tmp_path: Path) -> None:
    from tbparse import SummaryReader

    rng = np.random.default_rng(1)
    tags = ["Loss/D", "Loss/G", "D(x)", "lr", "Loss/Q"]
    parts = [VERSION]
    for step in range(0, 400, 3):
        parts += [
            scalar(tag, step, float(np.float32(rng.normal()))) for tag in tags if rng.random() < 0.8
        ]
    path = put(tmp_path, *parts)
    table = SummaryReader(str(path), extra_columns={"wall_time"}).scalars
    reading = tensorboard.read(path)
    assert {s.tag for s in reading.signals} == set(table["tag"])
    for signal in reading.signals:
        theirs = table[table["tag"] == signal.tag]
        assert signal.steps.tolist() == theirs["step"].tolist()
        assert signal.values.tolist() == theirs["value"].tolist()
        assert signal.wall_time.tolist() == theirs["wall_time"].tolist()


# --- the columnar path against the plain one ---

_TAGS = ["Loss/D", "Loss/G", "D/real", "a much longer tag than the others/G", "é"]


def _plain(parts: Iterable[tuple[str, int, float]]) -> dict[str, list[tuple[int, float]]]:
    out: dict[str, list[tuple[int, float]]] = {}
    for tag, step, value in parts:
        out.setdefault(tag, []).append((step, value))
    return out


@st.composite
def _logs(draw: st.DrawFn) -> list[tuple[str, int, float]]:
    """Loops over some tags, with steps of every varint width, and odd ones between."""
    out: list[tuple[str, int, float]] = []
    step = draw(st.sampled_from([0, 1, 100, 16_000, 2_097_000, -5]))
    for _ in range(draw(st.integers(1, 4))):
        tags = draw(st.lists(st.sampled_from(_TAGS), min_size=1, max_size=4, unique=True))
        stride = draw(st.integers(1, 60))
        for _ in range(draw(st.integers(1, 60))):
            out += [
                (tag, step, float(np.float32(draw(st.floats(width=32, allow_nan=False)))))
                for tag in tags
            ]
            step += stride
    return out


@settings(max_examples=40, deadline=None)
@given(_logs(), st.sampled_from([200, 1000, 1 << 22]))
def test_columns_equal_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, log: list, window: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensorboard, "_WINDOW", window)
        reading = read(folder, VERSION, *(scalar(*one) for one in log))
    assert reading.lost is None
    assert points(reading) == _plain(log)


def test_many_tags_of_one_length_in_no_order(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    log = [(f"layer_{rng.integers(60):03d}/w", step, float(step % 17)) for step in range(3000)]
    assert points(read(tmp_path, VERSION, *(scalar(*one) for one in log))) == _plain(log)


def test_a_record_larger_than_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "_WINDOW", 4096)
    event = Event(wall_time=1.7e9, step=1)
    event.summary.value.add(tag="samples").image.encoded_image_string = b"x" * 50_000
    parts = [scalar("a", k, k) for k in range(200)]
    reading = read(tmp_path, VERSION, *parts[:100], record(event.SerializeToString()), *parts[100:])
    assert len(only(reading)) == 200
    assert reading.pictures[0].length == 50_000


# --- damage ---


def _sample() -> tuple[bytes, dict[str, list[tuple[int, float]]], list[int]]:
    log = [(tag, step, float(step)) for step in range(8) for tag in ("Loss/D", "Loss/G")]
    parts = [VERSION, *(scalar(*one) for one in log)]
    return b"".join(parts), _plain(log), np.cumsum([len(p) for p in parts]).tolist()


def test_a_flipped_byte_costs_its_record_alone(tmp_path: Path) -> None:
    data, whole, _ = _sample()
    for at in range(len(data)):
        hurt = bytearray(data)
        hurt[at] ^= 0x41
        reading = read(tmp_path, bytes(hurt))
        found = points(reading)
        missing = sum(len(v) for v in whole.values()) - sum(len(v) for v in found.values())
        assert missing == (0 if at < len(VERSION) else 1), at
        assert all(set(found[tag]) <= set(whole[tag]) for tag in found)
        assert reading.lost is not None
        assert "damaged bytes" in reading.lost


@pytest.mark.parametrize("count", [1, 5, 44, 45, 100])
def test_missing_and_extra_bytes_cost_only_what_they_touch(tmp_path: Path, count: int) -> None:
    data, whole, edges = _sample()
    total = sum(len(v) for v in whole.values())
    for at in range(len(VERSION), len(data) - count, 7):
        touched = sum(
            start < at + count and stop > at
            for start, stop in zip([0, *edges], edges, strict=False)
        )
        for hurt in (data[:at] + data[at + count :], data[:at] + b"\x07" * count + data[at:]):
            reading = read(tmp_path, hurt)
            found = points(reading)
            assert sum(len(v) for v in found.values()) >= total - touched
            assert all(set(found[tag]) <= set(whole[tag]) for tag in found)
            assert reading.lost or touched == 0 or len(data) - len(hurt) in {44, 45}


def test_a_file_still_being_written_is_read_to_its_last_whole_record(tmp_path: Path) -> None:
    data, _, edges = _sample()
    for stop in range(1, edges[0]):
        with pytest.raises(InputError, match=f"ends within its first record \\(at {stop} bytes\\)"):
            read(tmp_path, data[:stop])
    for stop in range(edges[0], len(data)):
        reading = read(tmp_path, data[:stop])
        complete = sum(edge <= stop for edge in edges) - 1
        assert sum(len(s) for s in reading.signals) == max(complete, 0)
        left = stop - max((edge for edge in (0, *edges) if edge <= stop), default=0)
        if left:
            assert reading.lost == f"last record incomplete ({left:,} bytes), still being written?"
        else:
            assert reading.lost is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_across_windows_is_found_and_counted(
    tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("hurt")
    log = [(tag, step, float(step)) for step in range(60) for tag in ("Loss/D", "Loss/G", "x")]
    data = b"".join([VERSION, *(scalar(*one) for one in log)])
    at = draw.draw(st.integers(len(VERSION), len(data) - 1))
    width = draw.draw(st.integers(1, 900))
    fill = draw.draw(st.sampled_from([b"", b"\x00", b"\xff", b"\x18\x00\x00\x00\x00\x00\x00\x00"]))
    hurt = data[:at] + (fill * width)[:width] + data[at + width :]
    reading = read(folder, hurt)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensorboard, "_WINDOW", draw.draw(st.sampled_from([256, 1024])))
        for name in ("_MANY", "_FEW", "_SOME"):
            patch.setattr(tensorboard, name, draw.draw(st.sampled_from([1, 1 << 60])))
        otherwise = read(folder, hurt)
    assert (points(reading), reading.lost) == (points(otherwise), otherwise.lost)
    found, whole = points(reading), _plain(log)
    assert all(set(found[tag]) <= set(whole[tag]) for tag in found)
    assert sum(map(len, found.values())) >= len(log) - width // 36 - 3
    assert hurt == data or reading.lost or fill == b""


def test_a_picture_cut_short_does_not_take_what_follows(tmp_path: Path) -> None:
    event = Event(wall_time=1.7e9, step=1)
    event.summary.value.add(tag="samples").image.encoded_image_string = bytes(range(256)) * 40
    picture = record(event.SerializeToString())
    parts = [scalar("a", k, k) for k in range(40)]
    reading = read(tmp_path, VERSION, *parts[:20], picture[:3000], *parts[20:])
    assert len(only(reading)) == 40
    assert reading.pictures == ()
    assert "3,000 damaged bytes" in (reading.lost or "")


# --- files that hold nothing, or something else ---


def test_empty_files_are_no_error(tmp_path: Path) -> None:
    assert read(tmp_path).signals == ()
    assert read(tmp_path, VERSION[:40]).signals == ()
    assert read(tmp_path, VERSION).lost is None


def test_what_is_no_event_file_is_said_to_be_none(tmp_path: Path) -> None:
    example = record(b"\x0a\x08\x0a\x06\x0a\x01x\x12\x01y")  # a tf.train.Example
    for content in (
        np.random.default_rng(0).bytes(4000),
        b"epoch 1 loss 3\n" * 50,
        bytes(5000),
        example * 20,
        HEAD,
    ):
        path = put(tmp_path, content)
        with pytest.raises(InputError):
            tensorboard.read(path)
        assert tensorboard.sniff(path.with_name("data.tfrecord"), content[:65536]) == 0.0
    with pytest.raises(InputError, match="cannot be read"):
        tensorboard.read(tmp_path / "absent")


def test_sniffing(tmp_path: Path) -> None:
    path = put(tmp_path, VERSION, scalar("a", 1, 2))
    head = path.read_bytes()
    assert tensorboard.sniff(path, head) == 1.0
    assert tensorboard.sniff(path.with_name("renamed.bin"), head) == 1.0
    assert tensorboard.sniff(path.with_name("renamed.bin"), b"?" + head[1:]) >= 0.5
    assert tensorboard.sniff(path, b"?" + head[1:]) >= 0.9
    assert tensorboard.sniff(path, b"") >= 0.9
    assert tensorboard.sniff(path, HEAD) == 0.0
    assert tensorboard.sniff(path.with_name("a.csv"), b"step,loss\n1,2\n") == 0.0


def test_hostile_messages_are_damage_and_no_traceback(tmp_path: Path) -> None:
    deep = b"\x2a\x04\x0a\x7f\x0a\x7f"
    endless = b"\x10" + b"\xff" * 12
    group = b"\x0b\x0c"
    for payload in (deep, endless, group, b"\x00", b"\x2a\xff\xff\xff\xff\x0f", b"\xff" * 30):
        reading = read(tmp_path, VERSION, record(payload), *(scalar("a", k, 1.0) for k in range(3)))
        assert len(only(reading)) == 3
        assert "damaged" in (reading.lost or "")


def _zeros(path: Path, size: int) -> Path:
    with path.open("ab") as file:
        file.truncate(size)
    return path


def test_long_stretches_of_zeros_are_passed_over_at_once(tmp_path: Path) -> None:
    nothing = _zeros(tmp_path / "events.out.tfevents.1.h", 4 << 30)
    start = time.process_time()
    with pytest.raises(InputError, match="holds nothing but zeros"):
        tensorboard.read(nothing)
    head = b"".join((VERSION, *(scalar("a", k, 1.0) for k in range(1000))))
    tail = tmp_path / "events.out.tfevents.2.h"
    tail.write_bytes(head)
    reading = tensorboard.read(_zeros(tail, 4 << 30))
    assert len(only(reading)) == 1000
    assert "bytes of zeros, which were never written" in (reading.lost or "")
    with tail.open("r+b") as file:  # and what was written behind them is found
        file.seek(3 << 30)
        file.write(b"".join(scalar("a", k, 1.0) for k in range(1000, 1500)))
    assert len(only(tensorboard.read(tail))) == 1500
    assert time.process_time() - start < 3


def test_a_file_of_damage_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "MOST_DAMAGE", 10 << 20)
    head = b"".join((VERSION, *(scalar("a", k, 1.0) for k in range(9))))
    path = tmp_path / "events.out.tfevents.1.h"
    path.write_bytes(head + b"\x5a" * (40 << 20))
    reading = tensorboard.read(path)
    assert len(only(reading)) == 9
    assert "were not looked at" in (reading.lost or "")


# --- steps ---


def _untangled(
    steps: list[int], values: list[float] | None = None
) -> tuple[dict[str, list[tuple[int, float]]], str]:
    remarks = Remarks()
    held = np.array(values if values is not None else range(len(steps)), dtype=np.float64)
    signals = untangle("t", np.array(steps, dtype=np.int64), held * 1.0, held, remarks)
    assert all((np.diff(s.steps) >= 0).all() for s in signals)
    found = {s.tag: list(zip(s.steps.tolist(), s.values.tolist(), strict=True)) for s in signals}
    return found, " ".join(remarks.lines())


def test_rising_steps_stay() -> None:
    assert _untangled([1, 2, 5]) == ({"t": [(1, 0), (2, 1), (5, 2)]}, "")


def test_steps_that_are_all_zero_become_rows() -> None:
    found, said = _untangled([0, 0, 0])
    assert found == {"t": [(0, 0), (1, 1), (2, 2)]}
    assert "always 0" in said


def test_a_restart_wins_from_its_first_step() -> None:
    found, said = _untangled([0, 10, 20, 30, 40, 20, 30, 40, 50])
    assert found == {"t": [(0, 0), (10, 1), (20, 5), (30, 6), (40, 7), (50, 8)]}
    assert "3 points left out" in said


def test_two_restarts() -> None:
    found, _ = _untangled([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6, 7, 3, 4, 5, 6, 7, 8])
    assert [step for step, _ in found["t"]] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert [value for _, value in found["t"]] == [0, 1, 2, 13, 14, 15, 16, 17, 18]


def test_a_counter_within_the_epoch_is_counted_on() -> None:
    found, said = _untangled([0, 100, 200, 0, 100, 200, 0, 100])
    assert [step for step, _ in found["t"]] == [0, 100, 200, 300, 400, 500, 600, 700]
    assert "counted on" in said


def test_two_series_under_one_tag() -> None:
    found, said = _untangled([1, 1, 2, 2, 3, 3, 4], [0.7, 2.0, 0.6, 2.1, 0.5, 2.2, 0.4])
    assert found == {
        "t [1]": [(1, 0.7), (2, 0.6), (3, 0.5), (4, 0.4)],
        "t [2]": [(1, 2.0), (2, 2.1), (3, 2.2)],
    }
    assert "2 values a step" in said


def test_two_series_of_which_a_point_was_lost() -> None:
    steps = [k // 2 for k in range(60)]
    values = [float(k % 2) for k in range(60)]
    del steps[21], values[21]
    found, said = _untangled(steps, values)
    assert {value for _, value in found["t [1]"]} == {0.0}
    assert {value for _, value in found["t [2]"]} == {1.0}
    assert "1 points left out" in said


def test_points_logged_twice_are_kept_once() -> None:
    found, said = _untangled([1, 1, 2, 2, 3, 3], [5, 5, 6, 6, 7, 7])
    assert found == {"t": [(1, 5), (2, 6), (3, 7)]}
    assert "logged 2 times" in said


def test_series_that_take_turns() -> None:
    found, _ = _untangled([1000, 10, 1010, 11, 1020, 12, 1030, 13])
    assert [s for s, _ in found["t [1]"]] == [1000, 1010, 1020, 1030]
    assert [s for s, _ in found["t [2]"]] == [10, 11, 12, 13]


def test_a_stray_early_step_does_not_wipe_out_the_run() -> None:
    found, said = _untangled([*range(1, 200), 5])
    assert len(found["t"]) == 200
    assert "out of order" in said


def test_many_values_a_step_stay_as_they_are() -> None:
    found, said = _untangled([k // 50 for k in range(500)])
    assert len(found["t"]) == 500
    assert said == ""


def test_a_step_beyond_any_is_left_out() -> None:
    found, said = _untangled([0, 1, 2**63 - 1, 3, -(2**63), 5])
    assert found == {"t": [(0, 0), (1, 1), (3, 3), (5, 5)]}
    assert "beyond 2**53 is damage (2 points left out)" in said


def test_steps_that_are_all_beyond_any_are_counted() -> None:
    found, said = _untangled([2**62 + 5, 2**62, -(2**62)])
    assert found == {"t": [(0, 0), (1, 1), (2, 2)]}
    assert "rows were counted" in said


@given(
    st.lists(
        st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 0, 1]), max_size=40
    )
)
def test_any_steps_give_steps_that_never_fall(steps: list[int]) -> None:
    _untangled(steps)


def test_a_session_start_purges_what_it_goes_over(tmp_path: Path) -> None:
    start = record(
        Event(
            wall_time=1.7e9, step=5, session_log=SessionLog(status=SessionLog.START)
        ).SerializeToString()
    )
    before = [scalar("a", k, 1.0) for k in range(9)]
    after = [scalar("a", k, 2.0) for k in range(10, 13)]
    reading = read(tmp_path, VERSION, *before, start, *after)
    assert points(reading)["a"] == [(k, 1.0) for k in range(5)] + [(k, 2.0) for k in range(10, 13)]
    assert any("4 points were superseded" in note for note in reading.notes)


# --- settings in texts ---


def _text(tag: str, text: str) -> bytes:
    event = Event(wall_time=1.7e9)
    value = event.summary.value.add(tag=tag)
    value.tensor.dtype = 7
    value.tensor.tensor_shape.dim.add(size=1)
    value.tensor.string_val.append(text.encode())
    value.metadata.plugin_data.plugin_name = "text"
    return record(event.SerializeToString())


@pytest.mark.parametrize(
    "text",
    [
        "g:\n  lr: 0.0002\nbatch: 64\n",
        '{"g": {"lr": 0.0002}, "batch": 64}',
        "```yaml\ng: {lr: 0.0002}\nbatch: 64\n```",
        "|param|value|\n|-|-|\n|g.lr|0.0002|\n|batch|64|",
        '<pre>{"g.lr": 0.0002, "batch": 64}</pre>',
    ],
)
def test_a_config_logged_as_text(tmp_path: Path, text: str) -> None:
    reading = read(tmp_path, VERSION, _text("hparams/text_summary", text))
    assert {s.key: s.value for s in reading.settings} == {"g.lr": 0.0002, "batch": 64}


def test_texts_that_are_no_config(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n"
        for a, b in zip("abcdefghij", "bcdefghijk", strict=False)
    )
    reading = read(
        tmp_path,
        VERSION,
        _text("notes", "lr: 1"),
        _text("config", "one two three"),
        _text("config2", bomb),
    )
    assert not any(s.key == "lr" for s in reading.settings)
    assert len(reading.settings) <= 5000
    assert any("the text config looks like" in note for note in reading.notes)


def test_next_header_is_quick_over_zeros() -> None:
    assert tfrecord.next_header(bytes(3 << 20), 0, 1 << 40) == -1
    data = bytes(100_000) + zlib.compress(bytes(range(256)) * 30) + VERSION
    assert tfrecord.next_header(data, 1, 1 << 40) == len(data) - len(VERSION)


# ---------------------------------------------------------------- nothing was read


def test_a_header_alone_and_records_that_all_fail_are_no_run(tmp_path: Path) -> None:
    rotten = [bytearray(scalar("d_loss", i, 1.0)) for i in range(300)]
    for each in rotten:
        each[-1] ^= 1
    for parts, says in (
        ((VERSION,), "holds no values; the training has only begun"),
        ((VERSION, *map(bytes, rotten)), "holds nothing that can be read .*damaged bytes"),
    ):
        path = put(tmp_path, *parts)
        for place in (path, tmp_path):
            with pytest.raises(InputError, match=says) as e:
                discover(place)
            assert len(str(e.value).splitlines()) == 1
            assert str(e.value).startswith((path.name, str(tmp_path)))


def test_a_header_alone_beside_what_can_be_read_is_no_error(tmp_path: Path) -> None:
    put(tmp_path, VERSION)
    (tmp_path / "samples").mkdir()
    pictures = np.random.default_rng(0).random((8, 8, 8, 3)).astype(np.float32)
    np.save(tmp_path / "samples" / "step_000040.npy", pictures)
    assert len(discover(tmp_path)[0].pictures) == 1
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    put(tmp_path / "a", VERSION)
    put(tmp_path / "b", VERSION, scalar("d_loss", 1, 1.0))
    assert [len(run.signals) for run in discover(tmp_path)] == [1]


def test_what_is_in_a_file_and_cannot_be_used_is_no_error(tmp_path: Path) -> None:
    event = Event(wall_time=1.7e9, step=3)
    event.summary.value.add(tag="weights").histo.num = 1
    put(tmp_path, VERSION, record(event.SerializeToString()))
    assert "histogram" in discover(tmp_path)[0].notes[0]


def test_of_very_many_tags_the_first_and_the_losses_are_read(tmp_path: Path) -> None:
    tags = [f"layer{k}/norm" for k in range(MOST_NAMES + 700)] + ["loss/d", "G_loss"]
    reading = read(tmp_path, *(scalar(tag, step, 0.5) for step in (1, 2) for tag in tags))
    assert [s.tag for s in reading.signals] == [*tags[:MOST_NAMES], "loss/d", "G_loss"]
    assert all(s.steps.tolist() == [1, 2] for s in reading.signals)
    assert f"1,400 values under more than {MOST_NAMES:,} names" in (reading.lost or "")
