"""Translation validation finds every kind of difference between source and graph."""

from __future__ import annotations

import pytest

from convspec.targets.pytorch.lowered import lower_graph
from convspec.targets.pytorch.validate import differences
from tests.targets.pytorch.nets import module, source
from tests.targets.pytorch.specs import SPECS

CHANGES = [
    ("densenet", "bias=False", "bias=True", "conv1"),
    ("densenet", "4 * growth, 1,", "3 * growth, 1,", "conv1"),
    ("densenet", "torch.cat([x, z], 1)", "torch.cat([z, x], 1)", "output"),
    ("densenet", "torch.relu(self.norm1(x))", "self.norm1(x)", "output"),
    ("densenet", "denselayer{j + 1}", "denselayer{j}", "denselayer"),
    ("densenet", "return F.avg_pool2d", "return F.max_pool2d", "output"),
    ("densenet", "self.fc = nn.Linear(channels, 10)", "self.fc = nn.Linear(channels, 11)", "fc"),
    ("densenet", "self.fc = nn", "self.fd = nn", "fc"),
    ("densenet", "self.norm = nn.BatchNorm2d(in_channels)", "self.norm = nn.BatchNorm2d(in_channels, eps=1e-4)", "norm"),
    ("siamese", "a = self.head(self.tower(left))", "a = self.head(self.tower(right))", "output"),
    ("siamese", "self.head = nn.Linear(width, 4)", "self.head = self.other = nn.Linear(width, 4)", "one layer stands at"),
    ("lenet", "nn.Dropout(0.5)", "nn.Dropout(0.4)", "dropout1"),
    ("lenet", "self.dropout1(", "(", "output"),
    ("lenet", "super().__init__()\n", "super().__init__()\n        self.extra = nn.Linear(2, 2)\n", "extra is no layer"),
    ("lenet", "return logits", "return undefined", "NameError"),
    ("lenet", "return logits", "self.conv1(image)\n        return logits", "conv1 runs 2 times, not 1"),
    ("shared_in_loop", "range(self.steps)", "range(self.steps - 1)", "cell runs 2 times, not 3"),
    ("two_outputs", '"right"', '"wrong"', "names of the outputs"),
    ("low_precision", "self.to(torch.float16)", "self.to(torch.float64)", "dtype"),
    ("mixed_precision", ".to(torch.float16)", "", "the dtype of conv1"),
    ("mixed_precision", ".to(torch.float16)", ".to(torch.bfloat16)", "the dtype of conv1"),
    ("mixed_precision", "nn.Conv2d(3, 4, 1)", "nn.Conv2d(3, 4, 1).to(torch.float16)", "the dtype of conv2"),
    ("low_precision_with_a_cast", "self.conv1 =", "self.to(torch.float16)\n        self.conv1 =", "dtype"),
]


@pytest.mark.parametrize(("name", "old", "new", "about"), CHANGES)
def test_a_change_is_found(name: str, old: str, new: str, about: str) -> None:
    made, of = source(name), module(name)
    assert old in made.text
    found = differences(made.text.replace(old, new, 1), made.class_name, of.graph, lower_graph(of.graph))
    assert any(about in mismatch.what for mismatch in found), found


@pytest.mark.parametrize("name", sorted(SPECS))
def test_both_printers_are_found_right(name: str) -> None:
    of = module(name)
    for straight in (False, True):
        made = source(name, straight)
        assert differences(made.text, made.class_name, of.graph, lower_graph(of.graph)) == []


def test_the_one_network_is_not_taken_for_another() -> None:
    made, other = source("densenet"), module("lenet")
    assert differences(made.text, made.class_name, other.graph, lower_graph(other.graph))
