"""Ways of writing a training that once were read wrong, or not at all."""

from __future__ import annotations

import textwrap

import pytest

from gandoctor.configs import python

PAIR = "d, g = Adam(netD.parameters(), 1), Adam(netG.parameters(), 2)\n"


@pytest.fixture
def code(tmp_path):
    """What is found in files that are written out here: setting -> value."""

    def read(files):
        files = {"train.py": files} if isinstance(files, str) else files
        for name, text in files.items():
            (tmp_path / name).write_text(textwrap.dedent(text))
        found, _ = python.read(tmp_path)
        assert found is not None
        return {name: f.value for name, f in found.found.items()}

    return read


def test_what_is_made_below_an_exception_without_a_name(code):
    text = "try:\n    import a\nexcept ImportError:\n    def conv(x):\n        return Dropout(0.5)(x)\n"
    assert code(text + PAIR)["lr_d"] == 1


def test_of_two_optimisers_of_g_the_one_beside_d_is_told(code):
    found = code("""\
        g_opt = Adam(netG.parameters(), lr=1)
        g_opt_fair = Adam(netG.parameters(), lr=2)
        d_opt = Adam(netD.parameters(), lr=3)
        """)
    assert found["lr_g"] == 1


def test_what_is_made_anew_when_it_is_loaded_is_not_the_training(code):
    found = code("""\
        class GAN:
            def create(self):
                self.d_opt = Adam(self.netD.parameters(), lr=1)
                self.g_opt = Adam(self.netG.parameters(), lr=2)

            def load(self):
                self.d_opt = Adam(self.netD.parameters(), lr=3)
                self.g_opt = Adam(self.netG.parameters(), lr=4)

        gan = GAN()
        gan.create()
        gan.load()
        """)
    assert (found["lr_d"], found["lr_g"]) == (1, 2)


def test_an_option_goes_before_the_default_for_who_has_none(code):
    found = code("""\
        parser.add_argument("--epochs", default=9)
        args = parser.parse_args()
        class Trainer:
            def __init__(self, args=None, epochs=5):
                if args:
                    self.epochs = args.epochs
                else:
                    self.epochs = epochs
            def train(self):
                d, g = Adam(netD.parameters(), 1), Adam(netG.parameters(), 2)
                for epoch in range(self.epochs):
                    d.step()
                    g.step()
        Trainer(args=args).train()
        """)
    assert found["epochs"] == 9


@pytest.mark.parametrize(("stem", "epochs"), [("tune", 7), ("start", 50)])
def test_what_tries_out_settings_does_not_say_them(code, stem, epochs):
    found = code(
        {
            "train.py": """
                def train(epochs=7):
                    d, g = Adam(netD.parameters(), 1), Adam(netG.parameters(), 2)
                    for epoch in range(epochs):
                        d.step()
                        g.step()
                """,
            f"{stem}.py": "from train import train\ntrain(epochs=50)\n",
        }
    )
    assert found["epochs"] == epochs


def test_steps_of_d_are_no_epochs(code):
    found = code(f"""\
        {PAIR}
        def train_d(discriminator_n_iter=3):
            for epoch in range(discriminator_n_iter):
                d.step()
        train_d()
        g.step()
        """)
    assert "epochs" not in found
    assert found["n_critic"] == 3


def test_a_search_for_the_noise_of_a_picture_is_no_training(code):
    search = "def latent_search(x, n=500):\n    for i in range(n):\n        z_opt.step()\n"
    assert "iterations" not in code(search + PAIR)


def test_the_batch_of_what_is_shown_is_not_that_of_the_training(code):
    text = "def load(batch_size=1):\n    return choice(data, batch_size)\n"
    assert "batch_size" not in code(text + "def sample():\n    plot(load(batch_size=3))\n" + PAIR)
    assert code(text + "def fit():\n    step(load(batch_size=3))\n" + PAIR)["batch_size"] == 3


@pytest.mark.parametrize(("stem", "batch"), [("validation", None), ("settings", 1)])
def test_a_config_of_a_validation_is_none_of_the_training(code, stem, batch):
    its = "class Window:\n    batch_size: int = 1\n"
    train = f"import {stem}\nuse(conf.batch_size)\n{PAIR}"
    found = code({"train.py": train, f"{stem}.py": its})
    assert found.get("batch_size") == batch


@pytest.mark.parametrize(("given", "side"), [("28 * 28", 28), ("2 * 32", 64), ("28", 28)])
def test_an_area_is_no_side_of_a_picture(code, given, side):
    assert code(f"image_size = {given}\nuse(image_size)\n{PAIR}")["image_size"] == side


def test_coordinates_that_are_brought_to_a_range_are_no_pictures(code):
    body = "\n    def forward(self, x):\n        return x * 2 - 1\n"
    assert "data_range" not in code(f"class AddCoords:{body}{PAIR}")
    assert code(f"class Scale:{body}{PAIR}")["data_range"] == "-1..1"


@pytest.mark.parametrize(("name", "said"), [("att_score", None), ("out", "softmax")])
def test_the_scores_of_an_attention_are_no_output(code, name, said):
    net = f"class Generator:\n    def forward(self, q, k):\n        {name} = softmax(q @ k)\n"
    assert code(net + PAIR).get("output_activation") == said


@pytest.mark.parametrize(("given", "normed"), [("options.sn", None), ("True", True)])
def test_spectral_norm_that_nobody_is_seen_to_ask_for(code, given, normed):
    found = code(f"""\
        class Discriminator:
            def __init__(self, use_sn):
                self.fc = Linear(1, 1)
                if use_sn:
                    self.fc = spectral_norm(self.fc)
        netD = Discriminator(use_sn={given})
        {PAIR}
        """)
    assert found.get("spectral_norm") == normed


def test_what_a_network_can_do_by_itself_is_not_the_training(code):
    found = code(
        {
            "mlp.py": """
                class MLP:  # a discriminator, or a generator
                    def __init__(self, lr):
                        self.opt = Adam(self.parameters(), lr)
                    def fit(self, batch_size=500, epochs=1000):
                        loader = DataLoader(data, batch_size)
                        for epoch in range(epochs):
                            self.opt.step()
                """,
            "gan.py": """
                from mlp import MLP
                class GAN:
                    def __init__(self, n=20, batch_size=64):
                        self.generator = MLP(lr=1)
                        self.discriminator = MLP(lr=2)
                        self.n, self.batch_size = n, batch_size
                    def fit(self):
                        loader = DataLoader(data, self.batch_size)
                        for i in range(self.n):
                            self.train_step()
                """,
        }
    )
    assert (found["lr_g"], found["lr_d"]) == (1, 2)
    assert (found["batch_size"], found["iterations"]) == (64, 20)
    assert "epochs" not in found


LOSSES = {
    "a weighed sum of means": (
        "loss = -torch.mean(y_real) + 0.5 * (torch.mean(y_fake) + torch.mean(y_fake2)) + x", "wgan",
    ),
    "means with names in what trains the critic": (
        ("def _train_epoch_discriminator():\n    e_real = torch.mean(y_real)\n"
        "    e_fake = torch.mean(y_fake)\n    loss = -e_real + e_fake\n    loss.backward()"), "wgan",
    ),
    "squares beside a penalty": (
        "def gradient_penalty(x):\n    return x\ngradient_penalty(1)\nrec = F.mse_loss(a, b)", None,
    ),
    "squares alone": ("rec = F.mse_loss(a, b)", "lsgan"),
    "a loss of the decoder": ("decoder_loss = F.binary_cross_entropy(a, b)", None),
    "the largest of some numbers": ("gap = np.max(np.diff(x) - 1)", None),
    "a clamped margin": ("loss = torch.mean(torch.clamp(1 - dr, min=0))", "hinge"),
    "a clamped rate": ("rate = torch.clamp(1 - t, min=0)", None),
    "always with a penalty": ("mode = 'wgan'\nuse(mode)\npen = (grad.norm(2) - 1) ** 2", "wgan-gp"),
    "perhaps with a penalty": (
        "mode = 'wgan'\nuse(mode)\nif gp:\n    pen = (grad.norm(2) - 1) ** 2", "wgan",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOSSES)
def test_losses(code, kind):
    text, family = LOSSES[kind]
    assert code(f"{PAIR}{text}\n").get("loss_family") == family


def test_a_weight_of_pixels_that_is_compiled(code):
    text = "gan.compile(loss=['mse', 'mae'], loss_weights=[1, 100])\n"
    assert code(PAIR + text)["lambda_l1"] == 100


def test_the_file_of_the_losses_is_read_before_what_may_be_too_much(code, monkeypatch):
    monkeypatch.setattr(python.gathering, "MAX_PARSED", 400)
    files = {
        "train.py": f"import amodels, losses\n{PAIR}",
        "amodels.py": "x = 1\n" * 60,
        "losses.py": "def d_loss(x):\n    return relu(1 - x)\n",
    }
    assert code(files)["loss_family"] == "hinge"
