"""The textbook's linear regression, y = 2 x + 1 + noise, by gradient descent."""

import numpy as np

import fastloss as fl


def main() -> None:
    random = np.random.default_rng(0)
    x = random.uniform(-1.0, 1.0, 1000)
    y = 2.0 * x + 1.0 + random.normal(0.0, 0.1, 1000)

    loss = fl.SquaredError()
    weight, bias, rate = 0.0, 0.0, 0.2

    print(f"{'step':>6}{'loss':>10}{'weight':>10}{'bias':>10}")
    for step in range(101):
        value, grad = loss.value_and_grad(weight * x + bias, y)
        if step % 20 == 0:
            print(f"{step:>6}{value:>10.5f}{weight:>10.4f}{bias:>10.4f}")
        weight -= rate * (grad @ x)
        bias -= rate * grad.sum()

    assert abs(weight - 2.0) < 0.05
    assert abs(bias - 1.0) < 0.05
    print("\nThe data were made with weight 2, bias 1 and noise of variance 0.01.")


if __name__ == "__main__":
    main()
