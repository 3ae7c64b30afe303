"""Which call of PyTorch, Keras and optax is which call of the course, as text that runs.

`make_golden.py` evaluates the frameworks' side (with `x` the parameters and `lr` the rate) and records what
it does; the tests evaluate the course's side and compare. A panel "the same in PyTorch / Keras / optax" may
state what stands in SAME, for a test proves it, and warn of what stands in DIFFERENT.
"""

from typing import NamedTuple


class Same(NamedTuple):
    """The two go the same way: at every schedule for lr, or only while lr is constant."""

    theirs: str
    ours: str
    when: str = "always"

    @property
    def framework(self):
        """The module that stands first in their call."""
        return self.theirs.split(".")[0]


class Different(NamedTuple):
    """The two look alike and are not: why, and how far apart after 100 steps (see `distance` in the test)."""

    theirs: str
    ours: str
    why: str
    constant: float
    scheduled: float


CONSTANT = "constant lr"

SAME = [
    Same("torch.optim.SGD([x], lr)", "GradientDescent(lr)"),
    Same("keras.optimizers.SGD(lr)", "GradientDescent(lr)"),
    Same("optax.sgd(lr)", "GradientDescent(lr)"),
    # momentum
    Same("torch.optim.SGD([x], lr, momentum=0.9)", "Momentum(lr, 0.9)"),
    Same("optax.sgd(lr, momentum=0.9)", "Momentum(lr, 0.9)"),
    Same("keras.optimizers.SGD(lr, momentum=0.9)", "Momentum(lr, 0.9, 'sum-of-steps')"),
    Same("keras.optimizers.SGD(lr, momentum=0.9)", "Momentum(lr, 0.9)", CONSTANT),
    Same(
        "optax.chain(optax.ema(0.9, debias=False), optax.scale_by_learning_rate(lr))",
        "Momentum(lr, 0.9, 'average-of-gradients')",
    ),
    Same("torch.optim.SGD([x], lr, momentum=0.9, nesterov=True)", "Nesterov(lr, 0.9)"),
    Same("optax.sgd(lr, momentum=0.9, nesterov=True)", "Nesterov(lr, 0.9)"),
    Same("keras.optimizers.SGD(lr, momentum=0.9, nesterov=True)", "Nesterov(lr, 0.9, 'rewritten')"),
    Same("keras.optimizers.SGD(lr, momentum=0.9, nesterov=True)", "Nesterov(lr, 0.9)", CONSTANT),
    # Adagrad
    Same("torch.optim.Adagrad([x], lr)", "Adagrad(lr)"),
    Same("torch.optim.Adagrad([x], lr, initial_accumulator_value=0.1, eps=1e-3)", "Adagrad(lr, 1e-3, 0.1)"),
    Same("torch.optim.Adagrad([x], lr, lr_decay=0.05)", "Adagrad(inverse_time(lr, 0.05))", CONSTANT),
    Same(
        "keras.optimizers.Adagrad(lr)", "Adagrad(lr, eps=1e-7, initial_accumulator=0.1, eps_place='inside')"
    ),
    Same(
        "keras.optimizers.Adagrad(lr, initial_accumulator_value=0.0, epsilon=1e-3)",
        "Adagrad(lr, eps=1e-3, eps_place='inside')",
    ),
    Same("optax.adagrad(lr)", "Adagrad(lr, eps=1e-7, initial_accumulator=0.1, eps_place='inside')"),
    Same("optax.adagrad(lr, 0.0, 1e-3)", "Adagrad(lr, 1e-3, 0.0, 'inside')"),
    # RMSProp
    Same("torch.optim.RMSprop([x], lr)", "RMSProp(lr)"),
    Same("torch.optim.RMSprop([x], lr, alpha=0.9, eps=1e-3)", "RMSProp(lr, 0.9, 1e-3)"),
    Same("torch.optim.RMSprop([x], lr, momentum=0.9)", "RMSProp(lr, momentum=0.9)"),
    Same("torch.optim.RMSprop([x], lr, centered=True)", "RMSProp(lr, centered=True)"),
    Same(
        "torch.optim.RMSprop([x], lr, alpha=0.9, momentum=0.5, centered=True)",
        "RMSProp(lr, 0.9, momentum=0.5, centered=True)",
    ),
    Same("keras.optimizers.RMSprop(lr)", "RMSProp(lr, 0.9, 1e-7, eps_place='inside')"),
    Same(
        "keras.optimizers.RMSprop(lr, centered=True)",
        "RMSProp(lr, 0.9, 1e-7, centered=True, eps_place='inside')",
    ),
    Same(
        "keras.optimizers.RMSprop(lr, momentum=0.9)",
        "RMSProp(lr, 0.9, 1e-7, momentum=0.9, eps_place='inside')",
        CONSTANT,
    ),
    Same("optax.rmsprop(lr)", "RMSProp(lr, 0.9, eps_place='inside')"),
    Same("optax.rmsprop(lr, 0.99, eps_in_sqrt=False)", "RMSProp(lr)"),
    Same("optax.rmsprop(lr, centered=True)", "RMSProp(lr, 0.9, centered=True, eps_place='inside')"),
    Same("optax.rmsprop(lr, 0.99, eps_in_sqrt=False, centered=True)", "RMSProp(lr, centered=True)"),
    Same("optax.rmsprop(lr, 0.99, eps_in_sqrt=False, momentum=0.9)", "RMSProp(lr, momentum=0.9)", CONSTANT),
    # Adadelta
    Same("torch.optim.Adadelta([x], lr)", "Adadelta(lr=lr)"),
    Same("torch.optim.Adadelta([x], lr, rho=0.95, eps=1e-3)", "Adadelta(0.95, 1e-3, lr)"),
    Same("keras.optimizers.Adadelta(lr)", "Adadelta(0.95, 1e-7, lr)"),
    Same("optax.adadelta(lr)", "Adadelta(lr=lr)"),
    # Adam
    Same("torch.optim.Adam([x], lr)", "Adam(lr)"),
    Same("torch.optim.Adam([x], lr, (0.8, 0.95), 1e-3)", "Adam(lr, 0.8, 0.95, 1e-3)"),
    Same("keras.optimizers.Adam(lr)", "Adam(lr, eps=1e-7, eps_place='uncorrected')"),
    Same("keras.optimizers.Adam(lr, 0.8, 0.95, 1e-3)", "Adam(lr, 0.8, 0.95, 1e-3, eps_place='uncorrected')"),
    Same("optax.adam(lr)", "Adam(lr)"),
    Same("optax.adam(lr, 0.8, 0.95, 1e-3)", "Adam(lr, 0.8, 0.95, 1e-3)"),
    Same("optax.adam(lr, eps=0, eps_root=1e-8)", "Adam(lr, eps_place='inside')"),
    # AdamW
    Same("torch.optim.AdamW([x], lr)", "AdamW(lr)"),
    Same("torch.optim.AdamW([x], lr, (0.8, 0.95), 1e-3, 0.1)", "AdamW(lr, 0.8, 0.95, 1e-3, 0.1)"),
    Same("torch.optim.AdamW([x], lr, weight_decay=0)", "Adam(lr)"),
    Same("keras.optimizers.AdamW(lr)", "AdamW(lr, 0.9, 0.999, 1e-7, 0.004, eps_place='uncorrected')"),
    Same("optax.adamw(lr)", "AdamW(lr, weight_decay=1e-4)"),
    Same("optax.adamw(lr, weight_decay=0.1)", "AdamW(lr, weight_decay=0.1)"),
    # AMSGrad
    Same("torch.optim.Adam([x], lr, amsgrad=True)", "AMSGrad(lr)"),
    Same("torch.optim.Adam([x], lr, (0.8, 0.9), 1e-3, amsgrad=True)", "AMSGrad(lr, 0.8, 0.9, 1e-3)"),
    Same(
        "keras.optimizers.Adam(lr, beta_2=0.9, amsgrad=True)",
        "AMSGrad(lr, 0.9, 0.9, 1e-7, eps_place='uncorrected')",
    ),
    Same("optax.amsgrad(lr)", "AMSGrad(lr, maximum='after')"),
    Same("optax.amsgrad(lr, 0.8, 0.9)", "AMSGrad(lr, 0.8, 0.9, maximum='after')"),
    Same(
        "optax.amsgrad(lr, eps=0, eps_root=1e-3)",
        "AMSGrad(lr, eps=1e-3, maximum='after', eps_place='inside')",
    ),
    Same(
        "optax.amsgrad(lr, b2=0.9, bias_correction_mu=False, bias_correction_nu=False)",
        "AMSGrad(lr, beta2=0.9, bias_correction=False)",
    ),
    # Nadam
    Same("torch.optim.NAdam([x], lr)", "Nadam(lr)"),
    Same(
        "torch.optim.NAdam([x], lr, (0.8, 0.95), 1e-3, momentum_decay=0.5)", "Nadam(lr, 0.8, 0.95, 1e-3, 0.5)"
    ),
    Same("keras.optimizers.Nadam(lr)", "Nadam(lr, eps=1e-7, momentum_decay=1)"),
    Same("optax.nadam(lr)", "Nadam(lr, momentum_decay=None)"),
    # Lion
    Same("keras.optimizers.Lion(lr)", "Lion(lr)"),
    Same("keras.optimizers.Lion(lr, 0.8, 0.9, weight_decay=0.1)", "Lion(lr, 0.8, 0.9, 0.1)"),
    Same("optax.lion(lr)", "Lion(lr, weight_decay=1e-3)"),
    Same("optax.lion(lr, 0.8, 0.9, weight_decay=0.1)", "Lion(lr, 0.8, 0.9, 0.1)"),
    # clipping
    Same("keras.optimizers.SGD(lr, global_clipnorm=900.0)", "Clipped(GradientDescent(lr), 900)"),
    Same(
        "keras.optimizers.Adam(lr, global_clipnorm=900.0)",
        "Clipped(Adam(lr, eps=1e-7, eps_place='uncorrected'), 900)",
    ),
    Same("optax.chain(optax.clip_by_global_norm(900.0), optax.sgd(lr))", "Clipped(GradientDescent(lr), 900)"),
    Same("optax.chain(optax.clip_by_global_norm(900.0), optax.adam(lr))", "Clipped(Adam(lr), 900)"),
]

DIFFERENT = [
    Different(
        "torch.optim.SGD([x], lr, momentum=0.9, dampening=0.9)",
        "Momentum(lr, 0.9, 'average-of-gradients')",
        "PyTorch's first velocity is the whole gradient; only the later ones are damped",
        1.8e00,
        1.5e00,
    ),
    Different(
        "keras.optimizers.SGD(lr, momentum=0.9)",
        "Momentum(lr, 0.9)",
        "Keras keeps the rate in the velocity",
        0,
        2.0e-01,
    ),
    Different(
        "torch.optim.SGD([x], lr, momentum=0.9)",
        "Momentum(lr, 0.9, 'sum-of-steps')",
        "PyTorch multiplies the whole velocity by the present rate",
        0,
        2.1e-01,
    ),
    Different(
        "keras.optimizers.SGD(lr, momentum=0.9, nesterov=True)",
        "Nesterov(lr, 0.9)",
        "Keras keeps the rate in the velocity",
        0,
        2.0e-01,
    ),
    Different(
        "keras.optimizers.Adagrad(lr, initial_accumulator_value=0.0, epsilon=1e-3)",
        "Adagrad(lr, eps=1e-3)",
        "Keras adds ε inside the root",
        3.0e01,
        3.0e01,
    ),
    Different(
        "optax.adagrad(lr)",
        "Adagrad(lr)",
        "optax starts its sum at 0.1, and adds ε = 1e-7 inside the root",
        3.7e04,
        5.4e04,
    ),
    Different(
        "keras.optimizers.RMSprop(lr, momentum=0.9)",
        "RMSProp(lr, 0.9, 1e-7, momentum=0.9, eps_place='inside')",
        "Keras keeps the rate in the velocity",
        0,
        2.6e-01,
    ),
    Different(
        "optax.rmsprop(lr, 0.99, eps_in_sqrt=False, momentum=0.9)",
        "RMSProp(lr, momentum=0.9)",
        "optax keeps the rate in the velocity",
        0,
        2.5e-01,
    ),
    Different(
        "optax.rmsprop(lr)",
        "RMSProp(lr, 0.9)",
        "optax adds ε inside the root",
        6.0e01,
        5.2e01,
    ),
    Different(
        "keras.optimizers.Adam(lr)",
        "Adam(lr, eps=1e-7)",
        "Keras adds ε to the uncorrected root",
        2.1e-01,
        3.5e-01,
    ),
    Different(
        "optax.adam(lr, eps=0, eps_root=1e-8)",
        "Adam(lr)",
        "eps_root stands inside the root",
        8.0e01,
        6.9e01,
    ),
    Different(
        "torch.optim.Adam([x], lr, weight_decay=0.1)",
        "AdamW(lr, weight_decay=0.1)",
        "Adam's weight_decay is L2: it goes through both averages",
        6.9e00,
        2.6e00,
    ),
    Different(
        "optax.amsgrad(lr)",
        "AMSGrad(lr)",
        "optax takes the maximum after the bias correction",
        1.2e00,
        6.3e-01,
    ),
    Different(
        "keras.optimizers.Nadam(lr)",
        "Nadam(lr, eps=1e-7)",
        "Keras's momentum grows 250 times as fast as PyTorch's default",
        4.2e-01,
        2.0e-01,
    ),
    Different(
        "optax.nadam(lr)",
        "Nadam(lr)",
        "optax's momentum is constant",
        9.0e-01,
        1.0e00,
    ),
    Different(
        "torch.nn.utils.clip_grad_norm_([x], 900.0); torch.optim.SGD([x], lr)",
        "Clipped(GradientDescent(lr), 900)",
        "PyTorch divides by the norm + 1e-6",
        7.8e-10,
        8.9e-10,
    ),
]
