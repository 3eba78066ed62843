"""W&B run files, framed and encoded here byte by byte.

No wandb package is needed to read or to test.
"""

from __future__ import annotations

import json
import math
import struct
import time
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandoctor.errors import InputError
from gandoctor.parsers.formats import wandb
from gandoctor.parsers.records import history, leveldb
from gandoctor.parsers.rows.names import MOST_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.signals import Reading

BLOCK = 32_768
Points = dict[str, list[tuple[int, float]]]


# --- a writer ---


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def item(key: str, value: object, form: str = "nested") -> bytes:
    """One item: ``key`` (old clients), ``nested`` (new ones, dots in the key), ``typed`` (0.31)."""
    keys = (
        field(1, key.encode())
        if form == "key"
        else b"".join(field(2, part.encode()) for part in key.split("."))
    )
    if form != "typed":
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return keys + field(16, text)
    if value is None:
        return keys + number_field(3, 0)
    if isinstance(value, bool):
        return keys + number_field(4, value)
    if isinstance(value, int):
        return keys + number_field(5, value << 1 if value >= 0 else (-value << 1) - 1)  # zigzag
    if isinstance(value, float):
        return keys + b"\x31" + struct.pack("<d", value)
    if isinstance(value, str):
        return keys + field(7, value.encode())
    return keys + field(8, json.dumps(value).encode())


def row(
    values: dict[str, object], form: str = "nested", num: int = 1, step: int | None = None
) -> bytes:
    items = b"".join(field(1, item(key, value, form)) for key, value in values.items())
    tail = b"" if step is None else field(2, number_field(1, step) if step else b"")
    return (number_field(1, num) if num else b"") + field(2, items + tail)


def config(values: dict[str, object], *, remove: tuple[str, ...] = ()) -> bytes:
    content = b"".join(field(1, item(key, value, "key")) for key, value in values.items())
    return content + b"".join(field(2, item(key, None, "key")) for key in remove)


def run_record(values: dict[str, object]) -> bytes:
    return number_field(1, 1) + field(
        17, field(1, b"abc") + field(3, b"project") + field(4, config(values))
    )


def exit_record(code: int = 0, *, partial: bool = False) -> bytes:
    return field(
        18, (number_field(1, code) if code else b"") + (number_field(3, 1) if partial else b"")
    )


def metric(name: str, axis: str) -> bytes:
    return field(12, field(1, name.encode()) + field(4, axis.encode()))


def frames(*records: bytes) -> bytes:
    out = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        start, first = 0, True
        while True:
            left = BLOCK - len(out) % BLOCK
            if left < 7:
                out += bytes(left)
                continue
            size = min(len(record) - start, left - 7)
            last = start + size == len(record)
            kind = (1 if last else 2) if first else (4 if last else 3)
            data = record[start : start + size]
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + data), size, kind) + data
            start += size
            first = False
            if last:
                break
    return bytes(out)


def put(folder: Path, content: bytes) -> Path:
    path = folder / "run-abc.wandb"
    path.write_bytes(content)
    return path


def read(folder: Path, *records: bytes) -> Reading:
    return wandb.read(put(folder, frames(*records)))


def points(reading: Reading) -> Points:
    return {
        s.tag: list(zip(s.steps.tolist(), s.values.tolist(), strict=True)) for s in reading.signals
    }


def rows(count: int, form: str = "nested", **more: object) -> list[bytes]:
    return [
        row({"d_loss": k / 7, "g_loss": -k / 3, "_step": k, "_timestamp": 1.7e9 + k, **more}, form)
        for k in range(count)
    ]


# --- what was logged ---


@pytest.mark.parametrize("form", ["key", "nested", "typed"])
def test_rows_of_old_and_new_clients(tmp_path: Path, form: str) -> None:
    reading = read(tmp_path, run_record({"lr": 2e-4}), *rows(300, form), exit_record())
    assert points(reading) == {
        "d_loss": [(k, k / 7) for k in range(300)],
        "g_loss": [(k, -k / 3) for k in range(300)],
    }
    assert reading.signals[0].wall_time is not None
    assert reading.signals[0].wall_time.tolist() == [1.7e9 + k for k in range(300)]
    assert reading.lost is None
    assert reading.finished is True
    assert {s.key: s.value for s in reading.settings} == {"lr": 2e-4}


def test_step_zero_of_the_record_is_not_believed(tmp_path: Path) -> None:
    reading = read(
        tmp_path, *(row({"loss": 1.0, "_step": 10 * k}, "key", step=0) for k in range(5))
    )
    assert [s for s, _ in points(reading)["loss"]] == [0, 10, 20, 30, 40]


def _zeros(path: Path, size: int) -> Path:
    with path.open("ab") as file:
        file.truncate(size)
    return path


def test_long_stretches_of_zeros_are_passed_over_at_once(tmp_path: Path) -> None:
    start = time.process_time()
    with pytest.raises(InputError, match="holds nothing but zeros"):
        wandb.read(_zeros(tmp_path / "run-zero.wandb", 4 << 30))
    path = _zeros(put(tmp_path, frames(*rows(300))), 4 << 30)
    reading = wandb.read(path)
    assert points(reading)["d_loss"] == [(k, k / 7) for k in range(300)]
    assert "bytes of zeros, which were never written" in (reading.lost or "")
    with path.open("r+b") as file:
        file.seek(3 << 30)
        file.write(_block_of(rows(400)[300:]))
    assert len(points(wandb.read(path))["d_loss"]) == 400
    assert time.process_time() - start < 4


def _block_of(records: list[bytes]) -> bytes:
    """Records framed from the start of a block, with no magic before them."""
    return b"".join(struct.pack("<IHB", zlib.crc32(b"\x01" + r), len(r), 1) + r for r in records)


def test_a_file_of_damage_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leveldb, "MOST_DAMAGE", 4 << 20)
    path = put(tmp_path, frames(*rows(30)) + b"\x5a" * (20 << 20))
    reading = wandb.read(path)
    assert len(points(reading)["d_loss"]) == 30
    assert "were not looked at" in (reading.lost or "")


@pytest.mark.parametrize("stop", [7, 9, 20])
def test_a_file_cut_within_its_first_record(tmp_path: Path, stop: int) -> None:
    with pytest.raises(InputError, match=f"ends within its first record \\(at {stop} bytes\\)"):
        wandb.read(put(tmp_path, frames(run_record({"lr": 1e-3}))[:stop]))


def test_a_step_beyond_any_is_not_believed(tmp_path: Path) -> None:
    damaged = [row({"d_loss": 0.5, "_step": 10**17})] * 2 + [row({"d_loss": 0.6, "_step": 10**25})]
    reading = read(tmp_path, *rows(20), *damaged)
    assert points(reading)["d_loss"] == [(k, k / 7) for k in range(20)]
    assert any("beyond 2**53" in note for note in reading.notes)


def test_rows_without_a_step_are_counted(tmp_path: Path) -> None:
    assert points(read(tmp_path, *(row({"loss": k}) for k in range(3))))["loss"] == [
        (0, 0.0),
        (1, 1.0),
        (2, 2.0),
    ]


@pytest.mark.parametrize("form", ["key", "nested", "typed"])
def test_values_that_are_no_plain_numbers(tmp_path: Path, form: str) -> None:
    values = {
        "nan": "NaN",
        "inf": "Infinity",
        "low": "-Infinity",
        "flag": True,
        "none": None,
        "word": "abc",
        "list": [1, 2],
    }
    found = points(read(tmp_path, row({**values, "_step": 3}, form)))
    assert math.isnan(found.pop("nan")[0][1])
    assert found == {"inf": [(3, math.inf)], "low": [(3, -math.inf)], "flag": [(3, 1.0)]}


def test_bare_nan_and_numbers_of_every_spelling(tmp_path: Path) -> None:
    spelt = [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-0.0",
        b"1e-300",
        b"1E+5",
        b"123456789012345678901234567890",
        b"7",
    ]
    found = points(read(tmp_path, *(row({"x": text, "_step": k}) for k, text in enumerate(spelt))))[
        "x"
    ]
    assert [s for s, _ in found] == list(range(len(spelt)))
    assert math.isnan(found[0][1])
    assert [v for _, v in found[1:]] == [
        math.inf,
        -math.inf,
        -0.0,
        1e-300,
        1e5,
        1.2345678901234568e29,
        7.0,
    ]


def test_nested_metrics_by_key_and_by_value(tmp_path: Path) -> None:
    by_key = row({"train.g.loss": 1.5, "_step": 0})
    by_value = row({"train": {"g": {"loss": 2.5}}, "_step": 1}, "key")
    assert points(read(tmp_path, by_key, by_value)) == {"train.g.loss": [(0, 1.5), (1, 2.5)]}


def test_long_names_and_long_values(tmp_path: Path) -> None:
    long = "a" * 300
    assert points(read(tmp_path, row({long: 1.0, "x": b" " * 200 + b"2", "_step": 0}))) == {
        long: [(0, 1.0)],
        "x": [(0, 2.0)],
    }


def test_names_that_differ_in_the_middle_stay_apart(tmp_path: Path) -> None:
    names = [f"gradients/layer_{k:04d}/weight/norm" for k in range(200)]
    found = points(
        read(
            tmp_path,
            *(row({n: float(k) for k, n in enumerate(names)} | {"_step": s}) for s in range(3)),
        )
    )
    assert found == {n: [(s, float(k)) for s in range(3)] for k, n in enumerate(names)}


def test_sparse_metrics_keep_their_own_steps(tmp_path: Path) -> None:
    records = [
        row({"loss": float(k), "_step": k} | ({"fid": 50.0 - k} if k % 10 == 0 else {}))
        for k in range(40)
    ]
    assert points(read(tmp_path, *records))["fid"] == [(k, 50.0 - k) for k in range(0, 40, 10)]


def test_system_metrics_and_summaries_are_passed_by(tmp_path: Path) -> None:
    stats = number_field(1, 2) + field(7, field(3, item("cpu", 99.0, "key")))
    summary = number_field(1, 3) + field(3, field(1, item("loss", 9.0, "key")))
    reading = read(tmp_path, row({"loss": 1.0, "_step": 0, "_runtime": 2.0}), stats, summary)
    assert points(reading) == {"loss": [(0, 1.0)]}
    assert reading.lost is None


def test_the_order_of_items_does_not_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    records = []
    for k in range(500):
        values = [("a", float(k)), ("b", -float(k)), ("_step", k), ("c", 0.5)]
        records.append(row(dict(values[i] for i in rng.permutation(4))))
    found = points(read(tmp_path, *records))
    assert found["a"] == [(k, float(k)) for k in range(500)]
    assert found["b"] == [(k, -float(k)) for k in range(500)]


_VALUES = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.none(),
    st.text(max_size=150),
    st.just([1]),
)
_NAMES = st.one_of(
    st.sampled_from(["d_loss", "a.b.c", "é", "x\n", "\x82\x01"]), st.text(min_size=1, max_size=140)
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(_NAMES, _VALUES, max_size=6), max_size=30),
    st.sampled_from(["key", "nested", "typed"]),
)
def test_columns_agree_with_reading_field_by_field(
    tmp_path_factory: pytest.TempPathFactory, log: list[dict[str, object]], form: str
) -> None:
    folder = tmp_path_factory.mktemp("log")
    records = [row(values, form) for values in log]
    fast = read(folder, *records, exit_record())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            wandb,
            "items_of",
            lambda held: history.items_of([b""])._replace(odd=list(range(len(held)))),
        )
        plain = read(folder, *records, exit_record())
    assert points(fast).keys() == points(plain).keys()
    for tag, found in points(fast).items():
        np.testing.assert_equal(found, points(plain)[tag])  # NaN is NaN here
    assert fast.lost == plain.lost


# --- axes, config, end ---


def test_the_axis_that_all_metrics_were_defined_over(tmp_path: Path) -> None:
    records = [
        row({"d_loss": 1.0, "g_loss": 2.0, "epoch": k + 1, "_step": 500 * k}) for k in range(4)
    ]
    reading = read(tmp_path, metric("d_loss", "epoch"), metric("g_loss", "epoch"), *records)
    assert [s for s, _ in points(reading)["d_loss"]] == [1, 2, 3, 4]
    assert reading.step_unit == "epochs"
    assert any("epoch" in note for note in reading.notes)


def test_axes_that_disagree_are_not_used(tmp_path: Path) -> None:
    records = [row({"d_loss": 1.0, "g_loss": 2.0, "epoch": k // 2, "_step": k}) for k in range(4)]
    reading = read(tmp_path, metric("d_loss", "epoch"), *records)
    assert [s for s, _ in points(reading)["d_loss"]] == [0, 1, 2, 3]
    assert any("_step" in note for note in reading.notes)


def test_config_is_merged_unwrapped_and_flattened(tmp_path: Path) -> None:
    first = run_record(
        {
            "_wandb": {"x": 1},
            "lr": {"value": 0.1, "desc": None},
            "g": {"betas": [0.5, 0.9]},
            "old": 1,
            "s": "5e-5",
        }
    )
    later = number_field(1, 2) + field(5, config({"lr": 0.2}, remove=("old",)))
    found = {s.key: s.value for s in read(tmp_path, first, later).settings}
    assert found == {
        "lr": 0.2,
        "g.betas": (0.5, 0.9),
        "g.betas.0": 0.5,
        "g.betas.1": 0.9,
        "s": "5e-5",
    }


def test_how_a_run_ended(tmp_path: Path) -> None:
    for records, finished, said in (
        ([exit_record()], True, ""),
        ([exit_record(1)], False, "exit code 1"),
        ([exit_record(-1)], False, "exit code -1"),
        ([exit_record(partial=True)], False, ""),
        ([], False, "killed"),
    ):
        reading = read(tmp_path, *rows(2), *records)
        assert reading.finished is finished
        assert said in " ".join(reading.notes)


def test_pictures_that_lie_beside_the_file(tmp_path: Path) -> None:
    media = tmp_path / "files" / "media" / "images"
    media.mkdir(parents=True)
    (media / "a.png").write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    (media / "link.png").symlink_to("/etc/hostname")
    names = [
        "media/images/a.png",
        "media/images/gone.png",
        "../secret.png",
        "/etc/hostname",
        "media/images/link.png",
    ]
    new = [
        row({"img._type": "image-file", "img.path": n, "img.width": 4, "_step": k})
        for k, n in enumerate(names)
    ]
    old = row(
        {"grid": {"_type": "images/separated", "filenames": names, "count": 5}, "_step": 9}, "key"
    )
    reading = read(tmp_path, *new, old)
    assert [(p.tag, p.step, p.path) for p in reading.pictures] == [
        ("img", 0, "files/media/images/a.png"),
        ("grid", 9, "files/media/images/a.png"),
    ]
    assert reading.signals == ()


# --- damage ---


def test_records_across_blocks_at_every_place(tmp_path: Path) -> None:
    for pad in range(BLOCK - 40, BLOCK + 10):
        filler = field(4, bytes(pad))
        reading = read(tmp_path, filler, *rows(3), field(4, bytes(3 * BLOCK)), *rows(1))
        assert len(reading.signals[0]) == 4, pad
        assert reading.lost is None


def test_a_flipped_byte_costs_its_row_alone(tmp_path: Path) -> None:
    data = frames(run_record({"lr": 1}), *rows(1500), exit_record())
    assert len(data) > 4 * BLOCK
    whole = points(wandb.read(put(tmp_path, data)))["d_loss"]
    rng = np.random.default_rng(0)
    for at in (*range(BLOCK - 9, BLOCK + 9), *rng.integers(7, len(data), 30).tolist()):
        hurt = bytearray(data)
        hurt[at] ^= 0x10
        reading = wandb.read(put(tmp_path, bytes(hurt)))
        found = points(reading)["d_loss"]
        assert set(found) <= set(whole)
        assert len(found) >= 1499
        assert len(found) == 1500 or reading.lost
        assert reading.lost is None or "damaged bytes" in reading.lost


def test_a_damaged_file_head_costs_nothing(tmp_path: Path) -> None:
    data = bytearray(frames(*rows(20), exit_record()))
    data[0:6] = b"??????"
    assert len(wandb.read(put(tmp_path, bytes(data))).signals[0]) == 20


def test_a_file_cut_anywhere_is_read_up_to_there(tmp_path: Path) -> None:
    records = rows(12)
    data = frames(*records)
    edges = np.cumsum([7] + [len(r) + 7 for r in records]).tolist()
    for stop in range(8, len(data), 7):
        reading = wandb.read(put(tmp_path, data[:stop])) if stop >= edges[1] else None
        if reading is None:
            continue
        complete = sum(edge <= stop for edge in edges) - 1
        assert all(len(s) == complete for s in reading.signals)
        left = stop - max(edge for edge in edges if edge <= stop)
        assert reading.lost == (
            f"last record incomplete ({left:,} bytes), still being written?" if left else None
        )
        assert reading.finished is False


def test_missing_bytes_and_zeros(tmp_path: Path) -> None:
    data = frames(*rows(1500), exit_record())
    for hurt in (
        data[:BLOCK] + data[BLOCK + 5000 :],
        data[:50_000] + bytes(4000) + data[54_000:],
        data + bytes(2 * BLOCK),
        data[: BLOCK // 2] + data[BLOCK // 2 + 1 :],
    ):
        reading = wandb.read(put(tmp_path, hurt))
        assert reading.lost
        assert len(reading.signals[0]) > 1000


def test_sound_frames_around_nonsense(tmp_path: Path) -> None:
    nonsense = [
        b"\xff" * 20,
        b"\x0b\x0c",
        field(2, b"\x0a\x7f"),
        field(2, b"\x0a\x05\x0a\x01x\x82"),
        field(5, b"\x0a\xff"),
    ]
    reading = read(tmp_path, *nonsense, *rows(3))
    assert len(points(reading)["d_loss"]) == 3
    assert "no W&B record" in (reading.lost or "")


def test_what_is_no_run_file(tmp_path: Path) -> None:
    for content in (
        b"version https://git-lfs.github.com/spec/v1\n",
        b"epoch 1\n" * 100,
        bytes(5000),
        b":W&B",
    ):
        with pytest.raises(InputError):
            wandb.read(put(tmp_path, content))
    with pytest.raises(InputError):
        wandb.read(tmp_path / "absent.wandb")
    assert wandb.read(put(tmp_path, b"")).signals == ()


def test_sniffing(tmp_path: Path) -> None:
    head = frames(*rows(2))
    assert wandb.sniff(tmp_path / "run-x.wandb", head) == 1.0
    assert wandb.sniff(tmp_path / "other", head) == 1.0
    assert wandb.sniff(tmp_path / "run-x.wandb", b"?" + head[1:]) == 0.5
    assert (
        wandb.sniff(tmp_path / "run-x.wandb", b"version https://git-lfs.github.com/spec/v1\n")
        == 0.0
    )
    assert wandb.sniff(tmp_path / "a.csv", b"step,loss\n") == 0.0


@pytest.mark.parametrize(
    "value",
    [b"[" * 100_000, b'{"a":' * 50_000, b"1" * 10_000, b'"' + b"x" * 2_000_000 + b'"', b"{}}"],
)
def test_hostile_values(tmp_path: Path, value: bytes) -> None:
    reading = read(
        tmp_path,
        row({"x": value, "loss": 1.0, "_step": 0}),
        field(5, field(1, item("c", value, "key"))),
    )
    assert points(reading)["loss"] == [(0, 1.0)]


def test_a_row_of_very_many_items(tmp_path: Path) -> None:
    values: dict[str, object] = {f"k{i}": i for i in range(6000)}
    found = points(read(tmp_path, row({**values, "_step": 2})))
    assert len(found) == 6000
    assert found["k5999"] == [(2, 5999.0)]


def test_looking_for_sound_chunks_has_an_end(tmp_path: Path) -> None:
    # Every byte could begin a chunk of half a block, and every eighth really begins an empty one.
    empty = struct.pack("<IHB", zlib.crc32(b"\x01"), 0, 1)
    content = bytes([2, 2, 2, 2, 0, 64, 1, 1]) * 400 + (empty + b"\x02") * 400
    started = time.process_time()
    reading = wandb.read(put(tmp_path, frames(*rows(3)) + content * 150))
    assert time.process_time() - started < 10
    assert len(reading.signals[0]) == 3


@pytest.mark.parametrize("form", ["key", "typed"])
def test_of_very_many_keys_the_first_and_the_losses_are_read(tmp_path: Path, form: str) -> None:
    values: dict[str, object] = {f"layer{k}/norm": 0.5 for k in range(MOST_NAMES + 700)}
    values |= {"loss/d": 0.5, "G_loss": 0.7}
    reading = read(tmp_path, *(row({**values, "_step": k}, form) for k in range(2)), exit_record())
    assert {"loss/d", "G_loss", "layer0/norm"} <= points(reading).keys()
    assert len(reading.signals) == MOST_NAMES + 2
    assert f"1,400 values under more than {MOST_NAMES:,} names" in (reading.lost or "")
