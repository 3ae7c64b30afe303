"""Adam and its relatives against closed forms; against frameworks: test_optimizers.py."""

import math

import numpy as np
import pytest

from course_lib import adam, nadam_lion
from course_lib.adam import Adam, AdamW, AMSGrad
from course_lib.nadam_lion import Lion, Nadam
from tests.walk import GRADIENTS, one, run


def leaky(beta, values):
    """All leaky averages Σ (1-β) β^τ value, from the powers."""
    n = len(values)
    age = np.arange(n)[:, None] - np.arange(n)
    weights = np.where(age >= 0, (1 - beta) * beta ** np.maximum(age, 0.0), 0)
    return weights @ values


# ------------------------------------------------------------------- Adam


@pytest.mark.parametrize("size", [1e-3, 1, -1e3])
@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.5, 0.9), (0.0, 0.0)])
def test_the_first_step_has_the_length_of_the_rate_and_without_correction_another(size, beta1, beta2):
    assert one(Adam(0.1, beta1, beta2, 0), size) == pytest.approx(math.copysign(0.1, size), rel=1e-12)
    raw = 0.1 * (1 - beta1) / math.sqrt(1 - beta2)
    assert abs(one(Adam(0.1, beta1, beta2, 0, False), size)) == pytest.approx(raw, rel=1e-12)


def test_the_first_uncorrected_step_is_about_three_times_too_long():
    assert one(Adam(1, bias_correction=False), 1) == pytest.approx(3.162, abs=1e-3)


@pytest.mark.parametrize(
    ("place", "share"), [("outside", 0.909), ("uncorrected", 0.240), ("inside", 0.00316)]
)
def test_the_place_of_epsilon_matters_for_tiny_gradients(place, share):
    assert one(Adam(1, eps=1e-7, eps_place=place), 1e-6) == pytest.approx(share, rel=3e-3)


@pytest.mark.parametrize("beta1", [0.0, 0.6, 0.9])
@pytest.mark.parametrize("beta2", [0.5, 0.99])
@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("place", ["outside", "inside", "uncorrected"])
def test_adam_is_its_averages(beta1, beta2, correct, place):
    t, eps = np.arange(1, 41)[:, None], 1e-3
    c1, c2 = (1 - beta1**t, 1 - beta2**t) if correct else (1, 1)
    m_hat, v = leaky(beta1, GRADIENTS) / c1, leaky(beta2, GRADIENTS**2)
    denominator = {
        "outside": np.sqrt(v / c2) + eps,
        "inside": np.sqrt(v / c2 + eps),
        "uncorrected": (np.sqrt(v) + eps) / np.sqrt(c2),
    }[place]
    rule = Adam(0.3, beta1, beta2, eps, correct, place)
    points, state = run(rule, GRADIENTS, np.ones(3))
    np.testing.assert_allclose(points[1:], 1 - np.cumsum(0.3 * m_hat / denominator, axis=0), atol=1e-12)
    assert state.p1 == pytest.approx(beta1**40, rel=1e-13)
    assert state.p2 == pytest.approx(beta2**40, rel=1e-13)


@pytest.mark.parametrize("rule", [Adam, AMSGrad])
def test_under_a_constant_gradient_both_corrections_are_exact_even_when_the_decays_change(rule):
    """m̂ = g and v̂ = g² as long as the corrections are those of the averages."""
    for betas in ((0.9, 0.999), (lambda t: 0.9 - 0.5 / (t + 1), lambda t: 1 - 0.5 / (t + 1))):
        points, _ = run(rule(0.1, *betas, eps=0), np.full((50, 2), [7.0, -1e-5]), np.zeros(2))
        steps = np.arange(51)[:, None]
        np.testing.assert_allclose(points, -0.1 * steps * [1, -1], rtol=1e-11)


def test_adam_does_not_care_for_the_scale_of_the_loss():
    points, _ = run(Adam(0.1, eps=0), GRADIENTS, np.zeros(3))
    np.testing.assert_array_equal(run(Adam(0.1, eps=0), 1024 * GRADIENTS, np.zeros(3))[0], points)
    small = run(Adam(0.1), GRADIENTS * 2.0**-30, np.zeros(3))[0]
    assert np.abs(small - points).max() > 0.1  # ε does


def test_without_averages_adam_is_sign_descent_that_bounces():
    points, _ = run(Adam(0.5, 0, 0, 0), GRADIENTS, np.zeros(3))
    np.testing.assert_array_equal(points[1:], np.cumsum(-0.5 * np.sign(GRADIENTS), axis=0))
    x, state, rule = np.array([0.25]), None, Adam(0.5, 0, 0, 0)
    state = rule.init(x)
    for _ in range(10):
        new, state = rule.step(x, 2 * x, state)
        assert new.tolist() == (-x).tolist()
        x = new


def test_order_and_defaults_of_the_family():
    assert repr(Adam(1)) == (
        "Adam(lr=1.0, beta1=0.9, beta2=0.999, eps=1e-08, bias_correction=True, eps_place='outside')"
    )
    rule = AdamW(1, 0.5, 0.6, 0.7, 0.8, [1, 0], bias_correction=False, eps_place="inside")
    assert (rule.beta1, rule.beta2, rule.eps, rule.weight_decay) == (0.5, 0.6, 0.7, 0.8)
    assert rule.mask.tolist() == [1, 0]
    assert (rule.bias_correction, rule.eps_place) == (False, "inside")
    assert AdamW(1).weight_decay == 0.01
    assert (AdamW(1).bias_correction, AdamW(1).eps_place, AdamW(1).mask) == (True, "outside", None)
    with pytest.raises(TypeError, match="positional"):
        AdamW(1, 0.5, 0.6, 0.7, 0.8, [1, 0], False)
    assert repr(AMSGrad(1, 0.5, 0.6, 0.7, "after")).startswith(
        "AMSGrad(lr=1.0, beta1=0.5, beta2=0.6, eps=0.7, maximum='after', bias_correction=True, eps_place='out"
    )
    assert "beta1=0.9, beta2=0.999, eps=1e-08, maximum='before'" in repr(AMSGrad(1))
    assert repr(Nadam(1)) == "Nadam(lr=1.0, beta1=0.9, beta2=0.999, eps=1e-08, momentum_decay=0.004)"
    assert repr(Lion(1)) == "Lion(lr=1.0, beta1=0.9, beta2=0.99, weight_decay=0.0)"


# ------------------------------------------------------------------ AdamW

OPTIONS = [{}, {"bias_correction": False}, {"eps_place": "inside"}, {"eps_place": "uncorrected"}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_without_decay_adamw_is_adam(options):
    x0 = np.array([1.0, -2.0, 3.0])
    expected, _ = run(Adam(0.1, 0.8, 0.9, 1e-3, **options), GRADIENTS, x0)
    points, _ = run(AdamW(0.1, 0.8, 0.9, 1e-3, 0, **options), GRADIENTS, x0)
    np.testing.assert_array_equal(points, expected)
    nowhere, _ = run(AdamW(0.1, 0.8, 0.9, 1e-3, 0.5, [0, 0, 0], **options), GRADIENTS, x0)
    np.testing.assert_array_equal(nowhere, expected)


def test_the_decay_shrinks_by_itself_at_the_rate_times_lambda():
    rule = AdamW(lambda t: 0.5 / 2**t, weight_decay=lambda t: 0.5 if t < 2 else 0)
    points, _ = run(rule, np.zeros((3, 2)), np.array([1.0, -2.0]))
    assert points[:, 0].tolist() == [1, 0.75, 0.75 * 0.875, 0.75 * 0.875]
    assert points[:, 1].tolist() == [-2, -1.5, -1.5 * 0.875, -1.5 * 0.875]


def test_the_decay_is_taken_from_the_point_before_adams_step():
    x = np.array([4.0])
    rule = AdamW(0.5, weight_decay=0.25, eps=0)
    assert rule.step(x, np.array([9.0]), rule.init(x))[0].item() == pytest.approx(4 - 0.5 - 0.5, rel=1e-12)


def test_the_mask_spares_coordinates():
    x0 = np.array([1.0, -2.0, 3.0])
    for mask in ([1, 0, 1], [True, False, True], np.array([1.0, 0, 1], np.float32)):
        points, _ = run(AdamW(0.1, weight_decay=0.1, mask=mask), GRADIENTS, x0)
        everywhere, _ = run(AdamW(0.1, weight_decay=0.1), GRADIENTS, x0)
        nowhere, _ = run(Adam(0.1), GRADIENTS, x0)
        np.testing.assert_array_equal(points[:, [0, 2]], everywhere[:, [0, 2]])
        np.testing.assert_array_equal(points[:, 1], nowhere[:, 1])


def test_the_mask_is_a_copy_that_cannot_be_changed():
    given = np.array([1.0, 0.0])
    rule = AdamW(0.1, mask=given)
    given[1] = 1
    assert rule.mask.tolist() == [1, 0]
    with pytest.raises(ValueError, match="read-only"):
        rule.mask[1] = 1


@pytest.mark.parametrize(
    "mask", [[0.5, 1], [2, 0], [-1, 1], [math.nan, 1], "ab", [], {}, [None], [[1], [1, 0]]]
)
def test_bad_masks_are_refused(mask):
    with pytest.raises(ValueError, match=r"(?s)^mask = .*: must be .*1 where the decay applies"):
        AdamW(0.1, mask=mask)


@pytest.mark.parametrize("mask", [[1, 0, 1], [1], 1])
def test_a_mask_that_does_not_fit_is_refused_at_the_start(mask):
    with pytest.raises(ValueError, match=r"^mask.shape = .*: must be \(\.\.\., 2\) like x"):
        AdamW(0.1, mask=mask).init(np.zeros(2))


def test_each_member_of_a_batch_may_have_its_mask_or_all_share_one():
    x, g = np.ones((3, 2)), np.zeros((3, 2))
    for mask in ([0, 1], [[1, 0], [0, 1], [1, 1]]):
        rule = AdamW(0.5, weight_decay=0.5, mask=mask)
        expected = np.broadcast_to(1 - 0.25 * np.array(mask), (3, 2))
        np.testing.assert_array_equal(rule.step(x, g, rule.init(x))[0], expected)


# ---------------------------------------------------------------- AMSGrad


def test_amsgrads_largest_average():
    points, state = run(AMSGrad(0.1, 0.5, 0.9, 1e-3), GRADIENTS, np.zeros(3))
    t = np.arange(1, 41)[:, None]
    v = leaky(0.9, GRADIENTS**2)
    vmax = np.maximum.accumulate(v)
    m_hat = leaky(0.5, GRADIENTS) / (1 - 0.5**t)
    np.testing.assert_allclose(state.vmax, vmax[-1], rtol=1e-12)
    np.testing.assert_allclose(state.v, v[-1], rtol=1e-12)
    expected = -np.cumsum(0.1 * m_hat / (np.sqrt(vmax / (1 - 0.9**t)) + 1e-3), axis=0)
    np.testing.assert_allclose(points[1:], expected, atol=1e-12)


def test_amsgrads_largest_corrected_average():
    points, state = run(AMSGrad(0.1, 0.5, 0.9, 1e-3, "after"), GRADIENTS, np.zeros(3))
    t = np.arange(1, 41)[:, None]
    vmax = np.maximum.accumulate(leaky(0.9, GRADIENTS**2) / (1 - 0.9**t))
    m_hat = leaky(0.5, GRADIENTS) / (1 - 0.5**t)
    np.testing.assert_allclose(state.vmax, vmax[-1], rtol=1e-12)
    expected = -np.cumsum(0.1 * m_hat / (np.sqrt(vmax) + 1e-3), axis=0)
    np.testing.assert_allclose(points[1:], expected, atol=1e-12)


@pytest.mark.parametrize("place", ["outside", "inside", "uncorrected"])
def test_amsgrad_is_adam_while_the_gradients_grow(place):
    growing = np.linspace(1, 9, 30)[:, None] * [1.0, -1.0]
    adam_, _ = run(Adam(0.1, eps=0.1, eps_place=place), growing, np.zeros(2))
    for maximum in ("before", "after"):
        points, _ = run(AMSGrad(0.1, eps=0.1, maximum=maximum, eps_place=place), growing, np.zeros(2))
        np.testing.assert_allclose(points, adam_, rtol=1e-13)


def test_without_correction_both_maxima_are_one():
    before, _ = run(AMSGrad(0.1, eps=0, bias_correction=False), GRADIENTS, np.zeros(3))
    after, _ = run(AMSGrad(0.1, eps=0, maximum="after", bias_correction=False), GRADIENTS, np.zeros(3))
    np.testing.assert_array_equal(before, after)
    raw = leaky(0.9, GRADIENTS)[0] / np.sqrt(leaky(0.999, GRADIENTS**2)[0])
    np.testing.assert_allclose(before[1], -0.1 * raw, rtol=1e-12)


@pytest.mark.parametrize(
    ("rule", "options", "end"),
    [
        (Adam, {"beta1": 0, "beta2": 0.1}, 1),
        (AMSGrad, {"beta1": 0, "beta2": 0.1}, -1),
        (AMSGrad, {"beta1": 0, "beta2": 0.1, "bias_correction": False}, -1),
        (Adam, {}, -1),
    ],
)
def test_the_counter_example_of_reddi_kale_and_kumar(rule, options, end):
    """Slopes 3, -1, -1 for ever on [-1, 1]: -1 is best; β2 = 1/(1 + 3²) forgets the 3 too fast."""
    rule = rule(lambda t: 0.5 / math.sqrt(t + 1), **options)
    x = np.zeros(1)
    state = rule.init(x)
    for t in range(3000):
        x, state = rule.step(x, np.array([3.0 if t % 3 == 0 else -1.0]), state)
        x = np.clip(x, -1, 1)
    assert abs(x.item() - end) < 0.05


# ------------------------------------------------------------------ Nadam


@pytest.mark.parametrize("decay", [0.0, 0.004, 1.0, None])
@pytest.mark.parametrize("beta1", [0.9, 0.5])
def test_nadam_is_its_equation(decay, beta1):
    mu = np.full(42, beta1) if decay is None else beta1 * (1 - 0.5 * 0.96 ** (decay * np.arange(1, 43)))
    product, t = np.cumprod(mu), np.arange(40)
    m, v = leaky(beta1, GRADIENTS), leaky(0.99, GRADIENTS**2)
    m_hat = (mu[t + 1] / (1 - product[t + 1]))[:, None] * m
    m_hat += ((1 - mu[t]) / (1 - product[t]))[:, None] * GRADIENTS
    steps = 0.1 * m_hat / (np.sqrt(v / (1 - 0.99 ** (t + 1))[:, None]) + 1e-3)
    points, state = run(Nadam(0.1, beta1, 0.99, 1e-3, decay), GRADIENTS, np.zeros(3))
    np.testing.assert_allclose(points[1:], -np.cumsum(steps, axis=0), atol=1e-12)
    assert state.p == pytest.approx(product[39], rel=1e-12)


def test_nadams_momentum_grows_from_half_of_beta1_to_the_whole():
    assert Nadam(1, 0.8, momentum_decay=1).mu(0) == pytest.approx(0.8 * (1 - 0.48), rel=1e-14)
    assert Nadam(1, 0.8, momentum_decay=1).mu(10**4) == 0.8
    assert Nadam(1, 0.8, momentum_decay=0).mu(5) == 0.4
    assert Nadam(1, lambda t: 0.8 if t < 3 else 0.4, momentum_decay=None).mu(3) == 0.4


@pytest.mark.parametrize("decay", [-0.1, math.nan, math.inf, True, "1", [[0.004]], lambda t: 0.1])
def test_bad_momentum_decays_are_refused(decay):
    with pytest.raises(ValueError, match=r"^momentum_decay = .*: must be .*0\.004 is PyTorch's"):
        Nadam(0.1, momentum_decay=decay)


# ------------------------------------------------------------------- Lion


def test_two_steps_of_lion_by_hand():
    """After the gradient 4 the average is 1; then ½·1 - ½·0.5 > 0 although the gradient is negative."""
    points, state = run(Lion(0.25, 0.5, 0.75), np.array([[4.0], [-0.5], [-9.0]]), np.zeros(1))
    assert points[:, 0].tolist() == [0, -0.25, -0.5, -0.25]
    assert state.m.tolist() == [0.75 * (0.75 - 0.125) - 9 / 4]


def test_lion_moves_every_coordinate_by_the_rate_or_not_at_all():
    points, _ = run(Lion(0.25), GRADIENTS, np.zeros(3))
    assert set(np.abs(np.diff(points, axis=0)).ravel()) == {0.25}
    assert (run(Lion(0.25), np.zeros((3, 2)), np.ones(2))[0] == 1).all()


def test_lions_decay():
    rule = Lion(lambda t: 0.5 / 2**t, weight_decay=lambda t: 0.5 if t < 2 else 0)
    points, _ = run(rule, np.zeros((3, 1)), np.ones(1))
    assert points[:, 0].tolist() == [1, 0.75, 0.75 * 0.875, 0.75 * 0.875]
    moved, _ = run(Lion(0.5, weight_decay=0.25), np.ones((1, 1)), np.full(1, 4.0))
    assert moved[:, 0].tolist() == [4, 4 - 0.5 - 0.5]


def test_public_names_exist():
    assert all(hasattr(module, name) for module in (adam, nadam_lion) for name in module.__all__)
