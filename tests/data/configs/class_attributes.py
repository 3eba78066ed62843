class Base:
    seed = 1


class Config(Base):
    z_dim = 2
    lr = {"g": 1e-4, "d": 1e-2}
    betas = [0.9, 0.999]

    class Data:
        low, high = 0, 255

    def steps(self):
        lr_d = 3
        return lr_d
