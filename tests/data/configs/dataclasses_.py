from dataclasses import dataclass, field


@dataclass
class Optim:
    lr: float = 2e-4
    beta1: float = 0.9


@dataclass
class Train:
    """Of both networks."""

    batch_size: int = 8
    d_lr: float = 8e-3  # D
    g_lr: float = 1e-4
    layers: list = field(default_factory=lambda: [64, 128])
    loss: str = 'ns'; use_amp: bool = True
