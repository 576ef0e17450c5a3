"""A small convolutional network on handwritten digits in torch, by fastloss and by torch's loss.

docs/torch.md explains how a loss becomes part of torch's graph. Both runs start from the same
weights and take the same batches.
"""

from collections.abc import Callable, Iterator
from itertools import product
from statistics import median
from time import perf_counter

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch_loss import LossFunction

import fastloss as fl

BATCH = 32
EPOCHS = 20
SAME = 5
"""The first epochs, in which training has not made much of roundings."""
TURNS = 8
STEPS = 25

LossStep = Callable[[Tensor, Tensor], Tensor]

softmax_cross_entropy = fl.get("softmax_cross_entropy")


def by_fastloss(logits: Tensor, labels: Tensor) -> Tensor:
    return LossFunction.apply(softmax_cross_entropy, {"target": labels.numpy()}, logits)


LOSSES: dict[str, LossStep] = {"fastloss": by_fastloss, "torch": nn.functional.cross_entropy}


def network() -> nn.Sequential:
    """Two convolutions and a linear layer; the same weights in each call."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip


def train(model: nn.Module, loss: LossStep, images: Tensor, labels: Tensor) -> Iterator[float]:
    """Trains with Adam and gives the mean loss of each epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    order = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(labels), generator=order).split(BATCH):
            optimizer.zero_grad()
            value = loss(model(images[batch]), labels[batch])
            value.backward()
            optimizer.step()
            total += value.item() * len(batch)
        yield total / len(labels)


def report_times(rows: int, classes: int) -> None:
    """Times the loss and its gradient by the logits.

    Both in turns, so that a busy moment hits both; each several times in a row, as in training, so
    that neither meets memory that the other has just given back.
    """
    logits = torch.randn(rows, classes, requires_grad=True)
    labels = torch.randint(classes, (rows,))
    times: dict[str, list[float]] = {name: [] for name in LOSSES}
    for _, (name, loss), _ in product(range(TURNS), LOSSES.items(), range(STEPS)):
        logits.grad = None
        start = perf_counter()
        loss(logits, labels).backward()
        times[name].append(perf_counter() - start)
    columns = "".join(f"{median(found) * 1e6:>9.0f} µs" for found in times.values())
    print(f"{rows:>5} × {classes:<4}{columns}")


def main() -> None:
    torch.set_num_threads(1)
    fl.set_threads(1)
    pixels, digits = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 16.0, dtype=torch.float32).reshape(-1, 1, 8, 8)
    split = train_test_split(
        images, torch.tensor(digits), test_size=0.25, random_state=0, stratify=digits
    )
    train_images, test_images, train_labels, test_labels = split

    models = {name: network() for name in LOSSES}
    runs = [train(models[name], loss, train_images, train_labels) for name, loss in LOSSES.items()]
    print(f"{len(train_labels)} digits to train on, {len(test_labels)} held out\n")
    print(f"{'epoch':>5}{'fastloss':>12}{'torch':>12}{'relative difference':>22}")
    for epoch, (ours, theirs) in enumerate(zip(*runs, strict=True), start=1):
        difference = abs(ours - theirs) / theirs
        print(f"{epoch:>5}{ours:>12.6f}{theirs:>12.6f}{difference:>22.1e}")
        assert epoch > SAME or difference < 1e-4, "the curves differ by more than roundings"

    print("\naccuracy on the held-out digits")
    for name, model in models.items():
        with torch.no_grad():
            predicted = model(test_images).argmax(dim=1)
        accuracy = (predicted == test_labels).double().mean().item()
        print(f"{name:<12}{accuracy:.4f}")
        assert accuracy >= 0.97, f"with the loss of {name} the network learns too little"

    print("\nthe loss and its gradient by the logits, medians, one thread")
    print(f"{'logits':>12}{'fastloss':>12}{'torch':>12}")
    for rows, classes in ((BATCH, 10), (1024, 10), (1024, 1000)):
        report_times(rows, classes)


if __name__ == "__main__":
    main()
