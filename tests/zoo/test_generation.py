"""Generation and super-resolution: DCGAN, a variational autoencoder, SRCNN and ESPCN against their papers in PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import convspec
from convspec.diagnostics import Failure
from convspec.weights.convert import convert
from convspec.weights.randomised import randomised
from tests.examples.networks import scaled_error
from tests.zoo.comparing import image
from tests.zoo.keras_models import unsettle
from tests.zoo.oracles import holds, stores
from tests.zoo.outputs import GATE, RUNTIMES


class Sequence(nn.Module):
    """Layers numbered as PyTorch's tutorial on DCGAN numbers them."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.main(x)
        return found


def generator() -> Sequence:
    """100 numbers as 512 maps of 4x4, then four times twice as large (Radford et al. 2015, figure 1, at half its width)."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate([(100, 512), (512, 256), (256, 128), (128, 64)]):
        up = nn.ConvTranspose2d(inputs, outputs, 4, 1 if i == 0 else 2, 0 if i == 0 else 1, bias=False)
        layers += [up, nn.BatchNorm2d(outputs), nn.ReLU()]
    return Sequence(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())


def discriminator() -> Sequence:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for width in (64, 128, 256):
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
    return Sequence(*layers, nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten())


def test_dcgan_generator() -> None:
    holds("dcgan", "DCGANGenerator", generator(), {"noise": image(2, 100, 1, 1)})


def test_dcgan_discriminator() -> None:
    holds("dcgan", "DCGANDiscriminator", discriminator(), {"picture": image(2, 3, 64, 64)})


class Encoder(nn.Module):
    """Of TensorFlow's padding `same` at stride 2, an even size gets its one cell at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(1, 32, 3, 2), nn.Conv2d(32, 64, 3, 2), nn.Linear(64 * 7 * 7, 16)
        self.mean, self.log_variance = nn.Linear(16, 2), nn.Linear(16, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for conv in (self.conv1, self.conv2):
            x = conv(F.pad(x, (0, 1, 0, 1))).relu()
        x = self.fc(x.flatten(1)).relu()
        return self.mean(x), self.log_variance(x)


class Decoder(nn.Module):
    """The gradients of such convolutions: the cell that padding added is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.conv1 = nn.Linear(2, 64 * 7 * 7), nn.ConvTranspose2d(64, 64, 3, 2)
        self.conv2, self.conv3 = nn.ConvTranspose2d(64, 32, 3, 2), nn.ConvTranspose2d(32, 1, 3, 1, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.fc(z).relu().reshape(-1, 64, 7, 7)
        x = self.conv2(self.conv1(x)[:, :, :-1, :-1].relu())[:, :, :-1, :-1].relu()
        found: Tensor = self.conv3(x).sigmoid()
        return found


class VAE(nn.Module):
    """Kingma & Welling 2013, equation 10: z = mean + sigma * noise."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, picture: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encoder(picture)
        return self.decoder(mean + log_variance.exp().sqrt() * noise), mean, log_variance


def test_variational_autoencoder() -> None:
    holds("vae", "ConvVAE", VAE(), {"picture": image(3, 1, 28, 28), "noise": image(3, 2, seed=1)})


def keras_example() -> Any:
    """The autoencoder of Keras's examples, with noise that is put in; layers have our labels."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    down = {"activation": "relu", "strides": 2, "padding": "same"}
    picture, noise = keras.Input((28, 28, 1)), keras.Input((2,))
    x = layers.Conv2D(32, 3, name="encoder.conv1", **down)(picture)
    x = layers.Flatten()(layers.Conv2D(64, 3, name="encoder.conv2", **down)(x))
    x = layers.Dense(16, activation="relu", name="encoder.fc")(x)
    mean, log_variance = layers.Dense(2, name="encoder.mean")(x), layers.Dense(2, name="encoder.log_variance")(x)
    z = mean + keras.ops.exp(0.5 * log_variance) * noise
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu", name="decoder.fc")(z))
    x = layers.Conv2DTranspose(64, 3, name="decoder.conv1", **down)(x)
    x = layers.Conv2DTranspose(32, 3, name="decoder.conv2", **down)(x)
    x = layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same", name="decoder.conv3")(x)
    return keras.Model([picture, noise], [x, mean, log_variance])


def test_weights_of_the_example_of_keras(tmp_path: Path) -> None:
    """Nothing had to differ. Its dense layers before and behind space count the channels last, which conversion sees to."""
    example = keras_example()
    unsettle(example)
    path = tmp_path / "example.keras"
    example.save(path)
    module = convspec.load("zoo:vae", "ConvVAE").module
    with pytest.raises(Failure, match="2 tensors that cannot be placed"):
        convert(module, path)  # these names could be those of our own model, which reshapes in another way
    labels = {layer.name: layer.name for layer in example.layers if layer.weights}
    net = convspec.load("zoo:vae", "ConvVAE", weights=convert(module, path, mapping=labels).weights)
    picture, noise = image(3, 1, 28, 28), image(3, 2, seed=1)
    expected = [np.asarray(tensor) for tensor in example([np.moveaxis(picture, 1, -1), noise])]
    for runtime in RUNTIMES:
        found = net.run({"picture": picture, "noise": noise}, runtime=runtime)
        assert scaled_error(np.moveaxis(found["reconstruction"], 1, -1), expected[0]) < GATE
        assert scaled_error(found["mean"], expected[1]) < GATE
        assert scaled_error(found["log_variance"], expected[2]) < GATE


def test_only_the_reconstruction_depends_on_the_noise() -> None:
    weights = randomised(convspec.load("zoo:vae", "ConvVAE").module.graph, seed=1)
    net = convspec.load("zoo:vae", "ConvVAE", weights=weights)
    picture, outputs = image(1, 1, 28, 28), ["reconstruction", "mean", "log_variance"]
    one, other = (net.run({"picture": picture, "noise": image(1, 2, seed=i)}, runtime="reference") for i in (1, 2))
    assert [name for name in outputs if not np.array_equal(one[name], other[name])] == ["reconstruction"]


class SRCNN(nn.Module):
    """Dong et al. 2015, section 3.1, on a picture whose edge is repeated, as in the authors' test code."""

    def __init__(self, first: int, second: int, third: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 64, first), nn.Conv2d(64, 32, second)
        self.conv3 = nn.Conv2d(32, 1, third)

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.conv1, self.conv2, self.conv3):
            side = conv.kernel_size[0] // 2
            x = conv(F.pad(x, (side, side, side, side), mode="replicate"))
            x = x if conv is self.conv3 else x.relu()
        return x


@pytest.mark.parametrize("kernels", [(9, 1, 5), (9, 3, 5), (9, 5, 5)])
def test_srcnn(kernels: tuple[int, int, int]) -> None:
    holds("srcnn", f"SRCNN{kernels[0]}_{kernels[1]}_{kernels[2]}", SRCNN(*kernels), {"brightness": image(2, 1, 12, 15)})


class ESPCN(nn.Module):
    """Shi et al. 2016, section 3.2: equation 4 cell by cell."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.conv1, self.conv2 = nn.Conv2d(1, 64, 5, padding=2), nn.Conv2d(64, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, factor**2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3(self.conv2(self.conv1(x).tanh()).tanh())
        r, (height, width) = self.factor, x.shape[2:]
        larger = torch.empty(len(x), 1, r * height, r * width)
        for i in range(r):
            for j in range(r):
                larger[:, 0, i::r, j::r] = x[:, r * i + j]
        return larger


@pytest.mark.parametrize("factor", [2, 3])
def test_espcn(factor: int) -> None:
    holds("espcn", "ESPCN", ESPCN(factor), {"brightness": image(2, 1, 6, 7)}, {"factor": factor})


def test_kernels_of_srcnn_are_counted_as_published() -> None:
    """The paper counts 8,032 weights for 9-1-5, without biases."""
    assert sum(parameter.numel() for parameter in SRCNN(9, 1, 5).parameters() if parameter.dim() > 1) == 8_032
    stores("srcnn", "SRCNN9_1_5", lambda: SRCNN(9, 1, 5))
