EPOCHS = 50
noise_dim = 2
config = {}
config["generator"] = {"lr": 1e-4, "activation": "sigmoid"}
config["discriminator"] = {
    # a comment with "lr": 5
    "lr": 1e-2, "activation": "sigmoid",
}
config["discriminator"]["dropout"] = 0.9
