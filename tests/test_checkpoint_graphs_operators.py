"""Each operator alone, in its odd settings, beside torch's own: the same, or no claim."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gandoctor.checkpoint import contents
from gandoctor.checkpoint.graphs import programs
from gandoctor.checkpoint.graphs.meter import Meter

torch = pytest.importorskip("torch")
F = torch.nn.functional
torch.manual_seed(0)
X = torch.randn(2, 4, 6, 7)
W = torch.randn(4, 3, 3, 2)
ROWS = torch.randn(2, 4, 9)
FLAT = torch.randn(3, 8)
INTO = torch.randn(6, 4, 3, 2)

SAME = {
    "add alpha": lambda x: torch.add(x, x.abs(), alpha=-0.5),
    "sub": lambda x: 3 - x - 2 * x,
    "divided": lambda x: x / 3 + 1 / (x.abs() + 1),
    "floored": lambda x: torch.div(x, 0.7, rounding_mode="floor") + torch.div(x, 0.7, rounding_mode="trunc"),
    "modulo": lambda x: x % 0.7 + torch.remainder(x, -0.3),
    "powers": lambda x: x**2 + x.abs() ** 0.5 + 2.0**x + x.pow(3),
    "roots": lambda x: torch.sqrt(x.abs()) + torch.rsqrt(x.abs() + 1) + torch.reciprocal(x.abs() + 1),
    "curves": lambda x: torch.exp(x) + torch.log(x.abs() + 1) + torch.sin(x) + torch.cos(x) + torch.erf(x),
    "clamped": lambda x: x.clamp(-0.5, 0.3) + x.clamp(min=0.1) + x.clamp_max(0.2),
    "larger": lambda x: torch.maximum(x, -x) + torch.minimum(x, x * 2),
    "where": lambda x: torch.where(x > 0.2, x, -x) + torch.where(x.le(0), x, x * 0),
    "leaky": lambda x: F.leaky_relu(x, 0.13) + F.leaky_relu(x),
    "elu": lambda x: F.elu(x, 0.7) + F.selu(x),
    "gelu": lambda x: F.gelu(x) + F.gelu(x, approximate="tanh"),
    "softplus": lambda x: F.softplus(x * 30, beta=0.5, threshold=3) + F.softplus(x),
    "soft": lambda x: F.softsign(x) + F.mish(x) + F.silu(x) + F.logsigmoid(x) + F.tanhshrink(x),
    "hard": lambda x: F.hardtanh(x, -0.2, 0.6) + F.hardsigmoid(x * 3) + F.hardswish(x * 3) + F.relu6(x * 9),
    "prelu": lambda x: F.prelu(x, W[:, 0, 0, 0]) + F.prelu(x, W[:1, 0, 0, 0]),
    "softmax": lambda x: torch.softmax(x, 1) + F.softmax(x, dim=-1),
    "means": lambda x: x.mean(dim=(2, 3), keepdim=True) + x.mean(1, keepdim=True) + x.mean(),
    "sums": lambda x: x.sum(-1, keepdim=True) + x.sum(dim=(0, 2), keepdim=True) + x.sum(),
    "spreads": lambda x: x.std(1, keepdim=True) + x.var(dim=(2, 3), keepdim=True, unbiased=False) + x.var(),
    "corrected": lambda x: torch.var(x, dim=1, correction=0, keepdim=True) + torch.std(x, dim=0, correction=1),
    "most": lambda x: x.amax(1, keepdim=True) + torch.amin(x, dim=(2, 3), keepdim=True),
    "norms": lambda x: x / (x.norm(2, dim=1, keepdim=True) + 1) + torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True),
    "normalised": lambda x: F.normalize(x, dim=1),
    "group norm": lambda x: F.group_norm(x, 2, W[:, 0, 0, 0], W[:, 1, 0, 0], 0.1) + F.group_norm(x, 4),
    "layer norm": lambda x: F.layer_norm(x, (6, 7)) + F.layer_norm(x, (7,), X[0, 0, 0], X[0, 0, 1], 0.2),
    "instance norm": lambda x: F.instance_norm(x, eps=0.3) + F.instance_norm(x, None, None, W[:, 0, 0, 0], W[:, 1, 0, 0]),
    "batch norm": lambda x: F.batch_norm(x, W[:, 0, 0, 0], X[0, :, 0, 0].abs(), weight=W[:, 1, 0, 0], eps=0.3),
    "batch alone": lambda x: F.batch_norm(x, None, None, training=True, eps=0.1),
    "conv": lambda x: F.conv2d(x, INTO, stride=(2, 1), padding=(1, 2), dilation=(2, 1)),
    "grouped": lambda x: F.conv2d(x, torch.ones(8, 1, 3, 3) * W[0, 0, 0, 0], groups=4, padding=1),
    "same": lambda x: F.conv2d(x, INTO, padding="same") + F.conv2d(x, INTO, padding="same", dilation=2),
    "transposed": lambda x: F.conv_transpose2d(x, W, torch.ones(3), stride=3, padding=(1, 0), output_padding=(2, 1)),
    "transposed, dilated": lambda x: F.conv_transpose2d(x, W, stride=2, dilation=(2, 3), output_padding=1),
    "transposed, grouped": lambda x: F.conv_transpose2d(x, W, stride=2, groups=2, padding=1),
    "rows": lambda x: F.conv1d(x.flatten(2), INTO[:, :, :, 0], stride=3, padding=2),
    "rows transposed": lambda x: F.conv_transpose1d(x.flatten(2), W[:, :, :, 0], stride=4, padding=1, output_padding=3),
    "nearest": lambda x: F.interpolate(x, scale_factor=(2.0, 3.0)),
    "nearest to a size": lambda x: F.interpolate(x, size=(10, 9)),
    "nearest of odd scale": lambda x: F.interpolate(x, scale_factor=1.7),
    "nearest, smaller": lambda x: F.interpolate(x, scale_factor=0.5),
    "nearest, recomputed": lambda x: F.interpolate(x, scale_factor=1.7, recompute_scale_factor=True),
    "rows nearest": lambda x: F.interpolate(x.flatten(2), scale_factor=2.0),
    "bilinear": lambda x: F.interpolate(x, scale_factor=1.7, mode="bilinear", align_corners=False),
    "bilinear to a size": lambda x: F.interpolate(x, size=(9, 4), mode="bilinear"),
    "bilinear, corners": lambda x: F.interpolate(x, size=(11, 13), mode="bilinear", align_corners=True),
    "shuffled": lambda x: F.pixel_shuffle(x, 2) * 2,
    "unshuffled": lambda x: F.pixel_unshuffle(x[:, :, :, :6], 3),
    "averaged": lambda x: F.avg_pool2d(x, (2, 3), stride=(1, 2), padding=1),
    "averaged to": lambda x: F.adaptive_avg_pool2d(x, (3, 1)) + F.adaptive_avg_pool2d(x, 1),
    "most of": lambda x: F.max_pool2d(x, 3, stride=2, padding=1),
    "padded": lambda x: F.pad(x, (1, 2, 0, -1)) + F.pad(x, (1, 2, 0, -1), value=0.3),
    "reflected": lambda x: F.pad(x, (2, 1, 3, 0), mode="reflect"),
    "replicated": lambda x: F.pad(x, (2, 1, 3, 0), mode="replicate"),
    "circular": lambda x: F.pad(x, (2, 1, 3, 0), mode="circular"),
    "flattened": lambda x: torch.flatten(x, 1, -2) @ torch.ones(7, 2),
    "unflattened": lambda x: x.flatten(1).unflatten(1, (2, 12, 7)),
    "expanded": lambda x: x.mean(1, keepdim=True).expand(-1, 3, -1, -1) + x.mean(1, keepdim=True).expand(2, 3, 6, 7),
    "repeated": lambda x: x.repeat(1, 2, 1, 3),
    "interleaved": lambda x: x.repeat_interleave(2, dim=3),
    "squeezed": lambda x: x.mean((2, 3), keepdim=True).squeeze(-1).squeeze().unsqueeze(1),
    "stacked": lambda x: torch.stack([x, -x], dim=2).sum(2) + torch.cat([x, x], -1)[..., :7],
    "chunks": lambda x: x.chunk(3, dim=3)[0] + x.chunk(3, dim=3)[1],
    "splits": lambda x: x.split(4, dim=3)[1] * 2 + x.split([4, 3], 3)[1],
    "unbound": lambda x: x.unbind(1)[2] - x.unbind(-3)[-1],
    "sliced": lambda x: x[:, 1:-1, ::2, -3:],
    "selected": lambda x: x[:, -2] + x.select(1, 0) + x.narrow(3, 2, 1).squeeze(3)[:, 0, :, None],
    "turned": lambda x: x.permute(0, 2, 3, 1).contiguous().transpose(1, -1),
    "transposed axes": lambda x: x[0, 0].t() @ x[0, 1],
    "products": lambda x: torch.matmul(x, x.transpose(2, 3)) + torch.bmm(x[:, 0], x[:, 0].mT)[:, None],
    "vectors": lambda x: torch.mv(x[0, 0], x[0, 0, 0])[None] * torch.dot(x[0, 0, 0], x[0, 0, 1]),
    "added product": lambda x: torch.addmm(x[0, 0, :, :6], x[0, 1], x[0, 2].T, beta=0.5, alpha=2),
    "attended": lambda x: F.scaled_dot_product_attention(x, x * 2, x + 1) + F.scaled_dot_product_attention(x, x, x, scale=0.3),
    "filled": lambda x: x + torch.zeros(4, 1, 1) + torch.ones_like(x) + torch.full((7,), 2.5) + torch.zeros_like(x),
    "counted": lambda x: x + torch.arange(7) * torch.arange(0, 1 * 14, 2),
    "one hot": lambda x: x + F.one_hot(torch.arange(7), 7).float()[:6],
    "casts": lambda x: x.double().float() + (x > 0).float() + x.to(torch.float32) + (x * 3).long().type_as(x),
    "in place": lambda x: x.clone().mul_(2).add_(1).relu_().clamp_(max=3).sub_(x, alpha=0.5),
    "in place on a view": lambda x: _halved(x.clone()),
    "in place on a reshape": lambda x: _reshaped(x * 1),
    "dropped in use": lambda x: F.dropout(x, 0.5, training=False) + F.dropout2d(x, 0.5, training=False),
    "weight norm": lambda x: F.conv2d(x, torch._weight_norm(INTO, INTO[:, :1, :1, :1], 0)),
}  # fmt: skip


def _halved(x):
    """What was cut out is changed, and with it what it was cut from."""
    a, b = x.chunk(2, dim=1)
    a.mul_(b)
    return x


def _reshaped(x):
    x.view(2, -1).relu_()
    return x


class Alone(torch.nn.Module):
    def __init__(self, run):
        super().__init__()
        self.run = run

    def forward(self, x):
        return self.run(x)


@pytest.mark.parametrize("way", ["traced", "exported"])
@pytest.mark.parametrize("name", SAME)
def test_operators_alone(name, way, tmp_path):
    G = Alone(SAME[name]).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if way == "traced":
            torch.jit.save(torch.jit.trace(G, X.clone(), check_trace=False), tmp_path / "netG.pt")
        else:
            torch.export.save(torch.export.export(G, (X.clone(),)), tmp_path / "netG.pt2")
    (network,) = contents.read(next(tmp_path.iterdir())).networks
    found = programs.of(network.plan).run([X.numpy().copy()], Meter())
    wanted = G(X.clone()).numpy()
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-4 * max(1, np.abs(wanted).max())
