"""The zoo: published networks as specs. A file is a family (`resnet.cnn`), and each of its models a network (`ResNet50`)."""

from convspec.zoo.catalogue import Network, find, networks, resolve

__all__ = ["Network", "find", "networks", "resolve"]
