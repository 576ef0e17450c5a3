"""Runs every example: models trained, times compared, curves drawn. ``make demo`` calls it."""

from time import perf_counter

import comparison
import curves
import digits
import linear_regression
import linear_svm

import fastloss as fl

PARTS = {
    "Linear regression by gradient descent": linear_regression.main,
    "Handwritten digits: softmax regression with SciPy's L-BFGS": digits.main,
    "Breast cancer: a linear SVM with hinge loss": linear_svm.main,
    "Value and gradient in one pass, against the usual ways": comparison.main,
    "Curves of loss, gradient and Hessian": curves.main,
}


def main() -> None:
    start = perf_counter()
    config = fl.show_config()
    print(f"fastloss {config['fastloss']}: backend {config['backend']}, "
          f"{config.get('isa', 'no compiled core')}, {config['threads']} threads")  # fmt: skip
    for number, (heading, part) in enumerate(PARTS.items(), start=1):
        title = f"{number}. {heading}"
        print(f"\n{title}\n{'=' * len(title)}", flush=True)
        part()
    print(f"\nDone in {perf_counter() - start:.0f} s. The curves: {curves.PICTURE}")


if __name__ == "__main__":
    main()
