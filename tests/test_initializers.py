import dataclasses
import math
import re

import numpy as np
import pytest

from course_lib.initializers import DISTRIBUTIONS, SHRINK, glorot, he, lecun, normal, orthogonal, zeros

VARIANCES = {
    lecun: lambda n_in, n_out: 1 / n_in,
    glorot: lambda n_in, n_out: 2 / (n_in + n_out),
    he: lambda n_in, n_out: 2 / n_in,
}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("kind", VARIANCES)
@pytest.mark.parametrize(("n_in", "n_out"), [(300, 400), (500, 40)])
def test_moments(kind, distribution, n_in, n_out):
    rng = np.random.default_rng(3)
    W = np.stack([kind(distribution)(rng, n_in, n_out) for _ in range(4)])
    assert W.shape == (4, n_in, n_out)
    assert W.dtype == np.float64
    variance = VARIANCES[kind](n_in, n_out)
    assert kind(distribution).variance(n_in, n_out) == pytest.approx(variance)
    assert abs(W.mean()) < 5 * math.sqrt(variance / W.size)
    assert W.var() == pytest.approx(variance, rel=0.03)
    kurtosis = (W**4).mean() / W.var() ** 2
    assert kurtosis == pytest.approx(
        {"normal": 3, "uniform": 1.8, "truncated": 2.367}[distribution], rel=0.04
    )
    reach = {"uniform": math.sqrt(3), "truncated": 2 / SHRINK}.get(distribution, math.inf)
    assert np.abs(W).max() <= reach * math.sqrt(variance)
    if distribution != "normal":
        assert np.abs(W).max() > 0.999 * reach * math.sqrt(variance)


@pytest.mark.parametrize("made", [zeros(), normal(0.1), lecun(), glorot(), he(), orthogonal()], ids=repr)
def test_an_initialiser_never_changes(made):
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.gain = 2.0


def test_shrink_is_the_deviation_of_a_cut_normal():
    phi, inside = math.exp(-2) / math.sqrt(2 * math.pi), math.erf(math.sqrt(2))
    assert pytest.approx(math.sqrt(1 - 4 * phi / inside), abs=1e-15) == SHRINK


def test_he_with_a_leak():
    assert he(negative_slope=0.5).variance(8, 1) == pytest.approx(2 / (1.25 * 8))
    W = he("uniform", 1.0)(np.random.default_rng(0), 400, 400)
    assert W.var() == pytest.approx(1 / 400, rel=0.03)


def test_defaults():
    assert (lecun().distribution, glorot().distribution, he().distribution) == ("normal", "uniform", "normal")
    assert he().negative_slope == 0
    assert orthogonal().gain == 1


def test_normal_and_zeros():
    rng = np.random.default_rng(0)
    for std in (0.01, 3.0):
        W = normal(std)(rng, 200, 300)
        assert W.shape == (200, 300)
        assert W.std() == pytest.approx(std, rel=0.02)
    assert (zeros()(rng, 3, 4) == np.zeros((3, 4))).all()


@pytest.mark.parametrize(("n_in", "n_out"), [(30, 50), (50, 30), (20, 20), (1, 5)])
@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_orthogonal(n_in, n_out, gain):
    W = orthogonal(gain)(np.random.default_rng(1), n_in, n_out)
    assert W.shape == (n_in, n_out)
    product = W @ W.T if n_in <= n_out else W.T @ W
    np.testing.assert_allclose(product, gain**2 * np.eye(min(n_in, n_out)), atol=1e-12)


def test_orthogonal_has_no_favoured_direction():
    rng = np.random.default_rng(1)
    W = np.stack([orthogonal()(rng, 2, 2) for _ in range(4000)])
    assert np.abs(W.mean(axis=0)).max() < 0.05
    assert (np.linalg.det(W) > 0).mean() == pytest.approx(0.5, abs=0.03)


def test_the_generator_decides():
    one, two = (he()(np.random.default_rng(7), 5, 6) for _ in range(2))
    assert (one == two).all()
    assert (he()(np.random.default_rng(8), 5, 6) != one).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: lecun("cauchy"),
            "distribution = 'cauchy': must be one of 'normal', 'uniform', 'truncated'.",
        ),
        (lambda: glorot(3), "distribution = 3"),
        (lambda: he("normal", 2), "negative_slope = 2: must be in [0, 1]. 0 is ReLU, 0.01 a usual leak."),
        (lambda: normal(0), "std = 0: must be in (0, inf). Take 0.01."),
        (lambda: normal(math.inf), "std = inf"),
        (lambda: orthogonal(-1), "gain = -1: must be in (0, inf). Take 1."),
        (
            lambda: he()(np.random.default_rng(0), 0, 1),
            "fan_in = 0: must be a whole number of at least 1. It is the number of inputs of a unit.",
        ),
        (
            lambda: he()(np.random.default_rng(0), 1, 2.5),
            "fan_out = 2.5: must be a whole number of at least 1. It is the number of units of the layer.",
        ),
        (lambda: he()(3, 1, 1), "rng = 3: must be a numpy Generator. Take np.random.default_rng(0)."),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        call()
