"""Train the classifiers in this folder on optdigits, and export them as PyTorch users do; needs torch and onnxscript.

python -m tests.support.pytorch.make
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F  # noqa: N812  # PyTorch's own name for it
from torch import nn

from edgedigits.data import load_dataset
from edgedigits.data.splits import SplitPlan, split

HERE = Path(__file__).parent
MEAN, DEVIATION = 0.1307, 0.3081


class Plain(nn.Module):
    """PyTorch's MNIST example, smaller."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.drop = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 8, 3), nn.Dropout(0.1)
        self.fc1, self.fc2 = nn.Linear(200, 16), nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.drop(x.contiguous().view(-1, 200))
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


class Block(nn.Module):
    """Depthwise separable convolution with a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.pointwise = nn.Conv2d(width, width, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.norm2(self.pointwise(F.relu(self.norm1(self.depthwise(x))))))


class Residual(nn.Module):
    """The stem of a ResNet, two blocks, global average pooling; logits."""

    def __init__(self) -> None:
        super().__init__()
        stem = (nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        down = (nn.Conv2d(16, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU6())
        self.body = nn.Sequential(*stem, Block(16), *down, Block(24), nn.AdaptiveAvgPool2d(1))
        self.fc = nn.Linear(24, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.flatten(self.body(x), 1))


def rows() -> nn.Module:
    """A network without convolutions, for [N, 28, 28]."""
    hidden = (nn.Linear(784, 8, bias=False), nn.BatchNorm1d(8), nn.Tanh())
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(8, 10), nn.Softmax(1))


def fit(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int, output: str) -> nn.Module:
    """Train a model whose output is log-probabilities, logits or probabilities."""
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(epochs):
        model.train()
        for chosen in torch.randperm(len(images)).split(64)[:-1]:
            found = model(images[chosen])
            logarithms = {"logits": F.log_softmax(found, 1), "probabilities": torch.log(found.clamp(1e-9))}
            loss = F.nll_loss(logarithms.get(output, found), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


def export(model: nn.Module, image: torch.Tensor, name: str, names: tuple[str, str], **options: Any) -> None:
    path = HERE / name
    torch.onnx.export(model, (image,), str(path), input_names=[names[0]], output_names=[names[1]], **options)
    stored = onnx.load(path)
    for part in (*stored.graph.node, *stored.graph.value_info, *stored.graph.input, *stored.graph.output):
        # Stack traces of the export.
        del part.metadata_props[:]
        part.doc_string = ""
    del stored.graph.metadata_props[:]
    onnx.save(stored, path)


def main() -> None:
    torch.manual_seed(1)
    train = split(load_dataset("optdigits"), SplitPlan()).train
    pixels = np.ascontiguousarray(train.images.transpose(0, 3, 1, 2)).astype(np.float32)
    images, labels = (torch.tensor(pixels) / 255 - MEAN) / DEVIATION, torch.tensor(train.labels)
    plain = fit(Plain(), images, labels, 60, "log-probabilities")
    free = {"input": {0: "N"}, "output": {0: "N"}}
    older = {"dynamo": False, "dynamic_axes": free}
    export(plain, images[:1], "plain-opset9.onnx", ("input", "output"), opset_version=9, **older)
    residual = fit(Residual(), images, labels, 40, "logits")
    newer = {"dynamo": True, "external_data": False}
    export(residual, images[:1], "residual-opset18.onnx", ("image", "logits"), opset_version=18, **newer)
    flat = fit(rows(), images[:, 0], labels, 60, "probabilities")
    free = {"x": {0: "N"}, "y": {0: "N"}}
    export(flat, images[:1, 0], "rows-opset13.onnx", ("x", "y"), opset_version=13, dynamo=False, dynamic_axes=free)


if __name__ == "__main__":
    sys.exit(main())
