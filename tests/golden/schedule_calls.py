"""Which schedule of PyTorch and Keras is which schedule of the course, as text that runs.

`make_schedules.py` evaluates the frameworks' side, the tests evaluate the course's side and compare. A panel
may state what stands in SAME, for a test proves it, and warn of what stands in DIFFERENT.
"""

from typing import NamedTuple

STEPS = 64
"""The rates at t = 0 to 63 are recorded; PyTorch's optimiser begins with the rate 0.1."""


class Same(NamedTuple):
    """The two give the same rate at every recorded step, within a share of 0.1."""

    theirs: str
    ours: str
    within: float = 1e-12


class Different(NamedTuple):
    """The two look alike, and give different rates from step `first` on: why."""

    theirs: str
    ours: str
    why: str
    first: int


TORCH = "torch.optim.lr_scheduler."
KERAS = "keras.optimizers.schedules."
SINGLE = 1e-7
"""Keras computes parts of its cosines in single precision, whatever floatx is."""

SAME = [
    Same(TORCH + "ConstantLR(optimizer, 1.0)", "constant(0.1)"),
    Same(TORCH + "StepLR(optimizer, 10, 0.5)", "step_decay(0.1, 0.5, 10)"),
    Same(TORCH + "ExponentialLR(optimizer, 0.9)", "exponential(0.1, -np.log(0.9))"),
    Same(TORCH + "LambdaLR(optimizer, lambda t: 1 / (1 + 0.05 * t))", "inverse_time(0.1, 0.05)"),
    Same(TORCH + "LambdaLR(optimizer, lambda t: (1 + 0.05 * t) ** -0.5)", "inverse_sqrt(0.1, 0.05)"),
    Same(TORCH + "LambdaLR(optimizer, lambda t: 0.5 ** (t // 7))", "per_epoch(step_decay(0.1, 0.5, 1), 7)"),
    Same(TORCH + "PolynomialLR(optimizer, 40, 2.0)", "polynomial(0.1, 40, 2)"),
    Same(TORCH + "PolynomialLR(optimizer, 40)", "polynomial(0.1, 40)"),
    Same(TORCH + "CosineAnnealingLR(optimizer, 63, 0.01)", "cosine(0.1, 63, 0.01)"),
    Same(TORCH + "LinearLR(optimizer, 0.25, total_iters=12)", "warmup(0.1, 12, 0.25)"),
    Same(
        f"{TORCH}SequentialLR(optimizer, [{TORCH}LinearLR(optimizer, 0.25, total_iters=12), "
        f"{TORCH}StepLR(optimizer, 10, 0.5)], [12])",
        "warmup(step_decay(0.1, 0.5, 10), 12, 0.25)",
    ),
    Same(
        TORCH + "LambdaLR(optimizer, lambda t: max(min(t / 8, 1, (60 - t) / 30), 0))",
        "warmup_stable_decay(0.1, 8, 22, 30)",
    ),
    Same(TORCH + "OneCycleLR(optimizer, 0.1, 64)", "one_cycle(0.1, 64)"),
    Same(
        TORCH + "OneCycleLR(optimizer, 0.5, 64, pct_start=0.45, div_factor=10, final_div_factor=50, "
        "anneal_strategy='linear')",
        "one_cycle(0.5, 64, 0.45, 10, 50, 'linear')",
    ),
    Same(TORCH + "CyclicLR(optimizer, 0.01, 0.1, 7)", "triangular(0.01, 0.1, 7)"),
    Same(TORCH + "CyclicLR(optimizer, 0.01, 0.1, 7, mode='triangular2')", "triangular2(0.01, 0.1, 7)"),
    Same(
        TORCH + "CyclicLR(optimizer, 0.01, 0.1, 7, mode='exp_range', gamma=0.97)",
        "exp_range(0.01, 0.1, 7, 0.97)",
    ),
    Same(TORCH + "CosineAnnealingWarmRestarts(optimizer, 9)", "sgdr(0.1, 9)"),
    Same(TORCH + "CosineAnnealingWarmRestarts(optimizer, 5, 2, 0.01)", "sgdr(0.1, 5, 2, 0.01)"),
    Same(TORCH + "CosineAnnealingWarmRestarts(optimizer, 1, 3)", "sgdr(0.1, 1, 3)"),
    # Keras
    Same(KERAS + "ExponentialDecay(0.1, 10, 0.5)", "exponential(0.1, np.log(2) / 10)"),
    Same(KERAS + "ExponentialDecay(0.1, 10, 0.5, staircase=True)", "step_decay(0.1, 0.5, 10)"),
    Same(KERAS + "InverseTimeDecay(0.1, 1, 0.05)", "inverse_time(0.1, 0.05)"),
    Same(KERAS + "InverseTimeDecay(0.1, 20, 1.0)", "inverse_time(0.1, 1 / 20)"),
    Same(KERAS + "PolynomialDecay(0.1, 40)", "polynomial(0.1, 40, lr_end=0.0001)"),
    Same(KERAS + "PolynomialDecay(0.1, 40, 0.01, 0.5)", "polynomial(0.1, 40, 0.5, 0.01)"),
    Same(KERAS + "CosineDecay(0.1, 40)", "cosine(0.1, 40)", SINGLE),
    Same(KERAS + "CosineDecay(0.1, 40, 0.2)", "cosine(0.1, 40, 0.2 * 0.1)", SINGLE),
    Same(
        KERAS + "CosineDecay(0.0, 40, warmup_target=0.1, warmup_steps=12)",
        "warmup(cosine(0.1, 40), 12)",
        SINGLE,
    ),
    Same(
        KERAS + "CosineDecay(0.025, 40, warmup_target=0.1, warmup_steps=12)",
        "warmup(cosine(0.1, 40), 12, 0.25)",
        SINGLE,
    ),
    Same(KERAS + "CosineDecayRestarts(0.1, 9, 1.0)", "sgdr(0.1, 9)", SINGLE),
    Same(KERAS + "CosineDecayRestarts(0.1, 5, alpha=0.1)", "sgdr(0.1, 5, 2, 0.01)", SINGLE),
]

DIFFERENT = [
    Different(
        TORCH + "CosineAnnealingLR(optimizer, 40)",
        "cosine(0.1, 40)",
        "PyTorch's climbs up again after T",
        41,
    ),
    Different(
        TORCH + "ExponentialLR(optimizer, 0.9)",
        "exponential(0.1, 0.1)",
        "PyTorch multiplies by γ at each step: γ = exp(-decay), and not 1 - decay",
        1,
    ),
    Different(
        KERAS + "PolynomialDecay(0.1, 40)",
        "polynomial(0.1, 40)",
        "Keras ends at 0.0001 unless told otherwise",
        1,
    ),
    Different(
        KERAS + "CosineDecay(0.1, 40, 0.01)",
        "cosine(0.1, 40, 0.01)",
        "Keras's alpha is a share of the first rate, not a rate",
        1,
    ),
    Different(
        KERAS + "CosineDecayRestarts(0.1, 5)",
        "sgdr(0.1, 5)",
        "Keras doubles the cycles unless told otherwise",
        6,
    ),
]
