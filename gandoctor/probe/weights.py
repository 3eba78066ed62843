"""The weights of a checkpoint, put into the nets that an entry builds.

One seam, `read`, opens files; all else works on what it gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError, UsageError
from gandoctor.patterns import late_pattern
from gandoctor.probe.backend import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SUFFIXES: Final = (".pt", ".pth", ".ckpt", ".tar", ".safetensors")
MOST_FILES: Final = 2000
# What people call the weights of either player, anywhere on the way to them.
_OF: Final = {
    "G": late_pattern(
        r"(^|[^a-z])(g|net_?g|gen|generator|g_?net|model_?g|g_?state\w*|g_?model"
        r"|netg\w*|generator\w*|state_dict_g|g_ema|ema)($|[^a-z])"
    ),
    "D": late_pattern(
        r"(^|[^a-z])(d|net_?d|dis|disc|discriminator|critic|d_?net|model_?d"
        r"|d_?state\w*|d_?model|netd\w*|discriminator\w*|critic\w*|state_dict_d)"
        r"($|[^a-z])"
    ),
}
_PREFIXES: Final = late_pattern(
    r"^(module|_orig_mod|generator|discriminator|netG|netD|G|D|gen|disc|critic|model|net)\."
)
_NUMBER: Final = late_pattern(r"\d+")


class Checkpoint:
    """The weights that a run left: one file, or the files of one step.

    Parameters
    ----------
    files : sequence of Path
    trusting : bool
        Whether files may name things other than numbers.
    """

    def __init__(self, files: Sequence[Path], *, trusting: bool = False) -> None:
        self.files = tuple(files)
        self.trusting = trusting
        self._held: dict[str, dict[str, Any]] | None = None

    @property
    def name(self) -> str:
        """For people."""
        return ", ".join(f.name for f in self.files) or "none"

    @property
    def states(self) -> dict[str, dict[str, Any]]:
        """Every mapping of names to tensors in the files, by the way to it."""
        if self._held is None:
            self._held = {}
            for file in self.files:
                for way, state in read(file, trusting=self.trusting).items():
                    whole = len(self.files) == 1 or file.stem in way
                    self._held[way if whole else f"{file.stem}/{way}"] = state
        return self._held

    def load(self, net: Any, which: str) -> Any:
        """Put the weights of a player into its net.

        Parameters
        ----------
        net : torch.nn.Module
        which : str
            ``G``, ``D``, or the way to the weights in the file (``state/netG``).

        Returns
        -------
        net

        Raises
        ------
        InputError
            No weights in the files fit the net; says what comes nearest.
        """
        if not self.files:
            raise InputError("no checkpoint was found", "the run", "name one with --checkpoint")
        states = self.states
        wanted = net.state_dict()
        if which in states:
            return _put(net, states[which], which)
        ranked = sorted(
            (_fit(wanted, state), _named(way, which), len(way), way)
            for way, state in _with_halves(states)
        )
        if not ranked:
            raise InputError("holds no weights", self.name, "give another with --checkpoint")
        fit, _, _, way = max(ranked, key=lambda r: (r[0], r[1], -r[2]))
        state = dict(_with_halves(states))[way]
        if fit < 1:
            raise _unfit(wanted, state, way, which, self.name)
        return _put(net, _aligned(wanted, state), way)


def _put(net: Any, state: Mapping[str, Any], way: str) -> Any:
    numbers = {name: torch().from_numpy(np.array(t.read())) for name, t in state.items()}
    try:
        net.load_state_dict(numbers, strict=True)
    except RuntimeError as e:
        said = str(e).partition("\n")[2].strip().partition("\n")[0]
        raise InputError(
            f"does not fit the net: {said}", way, "build it as it was trained"
        ) from None
    return net


def _fit(wanted: Mapping[str, Any], state: Mapping[str, Any]) -> float:
    """Share of a net's tensors that a state has in the right shape, after prefixes."""
    own = _aligned(wanted, state)
    same = sum(k in own and tuple(own[k].shape) == tuple(v.shape) for k, v in wanted.items())
    return same / max(len(wanted), 1) * (0.999 if len(own) > len(wanted) else 1.0)


def _aligned(wanted: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """The state under the net's own names: wrappers put a prefix before all of them."""
    if not state or next(iter(wanted), "") in state:
        return dict(state)
    tried = dict(state)
    for _ in range(3):
        heads = {m[0] for m in map(_PREFIXES.match, tried) if m}
        if len(heads) != 1 or not all(_PREFIXES.match(k) for k in tried):
            break
        tried = {_PREFIXES.sub("", k, count=1): v for k, v in tried.items()}
        if next(iter(wanted), "") in tried:
            return tried
    return dict(state)


def _with_halves(states: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each state, and the part of it below each first name: a Lightning module holds both."""
    for way, state in states.items():
        yield way, state
        heads = {k.partition(".")[0] for k in state if "." in k}
        if 1 < len(heads) <= 16:
            for head in heads:
                part = {
                    k.partition(".")[2]: v for k, v in state.items() if k.startswith(f"{head}.")
                }
                yield f"{way}/{head}", part


def _named(way: str, which: str) -> int:
    """Whether the way to some weights names a player; less than none where it names the other."""
    low = way.lower()
    other = "D" if which == "G" else "G"
    if which not in _OF:
        return 0
    return bool(_OF[which].search(low)) - bool(_OF[other].search(low))


def _unfit(
    wanted: Mapping[str, Any], state: Mapping[str, Any], way: str, which: str, name: str
) -> InputError:
    state = _aligned(wanted, state)
    missing = [k for k in wanted if k not in state]
    other = [
        f"{k} is {tuple(state[k].shape)}, the net's {tuple(v.shape)}"
        for k, v in wanted.items()
        if k in state and state[k].shape != v.shape
    ]
    spare = [k for k in state if k not in wanted]
    why = next(
        (
            said
            for said, there in (
                (f"{', '.join(other[:2])}", other),
                (f"it lacks {', '.join(missing[:3])}", missing),
                (f"it has also {', '.join(spare[:3])}", spare),
            )
            if there
        ),
        "",
    )
    return InputError(
        f"no weights in it fit {which}; nearest is {way}: {why}", name, "build it as it was trained"
    )


def read(file: Path, *, trusting: bool = False) -> dict[str, dict[str, Any]]:
    """The networks in a file, each as names with tensors that are read on demand.

    Nothing of the file is run, whatever it names.

    Raises
    ------
    InputError
        It cannot be read, or names code and is not trusted to mean well.
    """
    from gandoctor.checkpoint import contents
    from gandoctor.checkpoint.tensors import Tensor

    found = contents.read(file)
    if found.foreign and not trusting:
        raise InputError(
            f"names what no weights need ({', '.join(found.foreign[:3])})",
            str(file),
            "take the numbers of another; or insist on these with --trust-checkpoint",
        )
    return {
        n.name: {name: t for name, t in n.tensors.items() if isinstance(t, Tensor)}
        for n in found.networks
    }


def found(run: Path, given: Path | None, *, trusting: bool = False) -> Checkpoint | None:
    """The checkpoint that is given, else the latest below the run; None where there is none.

    Files of one step (``netG_epoch_5.pth`` and ``netD_epoch_5.pth``) belong together.

    Raises
    ------
    UsageError
        What is given is not there.
    """
    if given is not None:
        if given.is_dir():
            run = given
        elif given.is_file():
            return Checkpoint(_siblings(given), trusting=trusting)
        else:
            raise UsageError(
                "there is no such file", f"--checkpoint {given}", "give one of weights"
            )
    home = run if run.is_dir() else run.parent
    files = sorted(_files(home))
    if not files:
        return None
    last = max(files, key=lambda f: (*_when(f), f.name))
    return Checkpoint(_siblings(last), trusting=trusting)


def _files(home: Path) -> Iterator[Path]:
    seen = 0
    for folder, inner in ((home, "*"), (home, "*/*"), (home, "*/*/*")):
        for file in folder.glob(inner):
            seen += 1
            if seen > MOST_FILES:
                return
            if file.suffix in SUFFIXES and file.is_file() and file.stat().st_size > 64:
                yield file


def _when(file: Path) -> tuple[int, float]:
    """Order of a checkpoint among others: the last of its numbers, then its time."""
    numbers = _NUMBER.findall(file.stem)
    number = int(numbers[-1][:15]) if numbers else 0
    if any(w in file.stem.lower() for w in ("last", "latest", "final")):
        number = 1 << 62
    return number, file.stat().st_mtime


def _siblings(file: Path) -> list[Path]:
    """The file, and those beside it that hold another player at the same step."""
    number = _when(file)[0]
    mine = _player(file)
    if not mine:
        return [file]
    others = [
        f
        for f in sorted(file.parent.iterdir())
        if f.suffix == file.suffix and _player(f) not in ("", mine) and _when(f)[0] == number
    ]
    return [file, *others[:1]]


def _player(file: Path) -> str:
    low = file.stem.lower()
    named = [p for p, pattern in _OF.items() if pattern.search(low)]
    return named[0] if len(named) == 1 else ""
