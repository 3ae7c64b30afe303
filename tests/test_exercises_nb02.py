"""The checks of notebooks 02 and 02b: right variants pass, usual mistakes get the hint they deserve."""

import numpy as np
import pytest

from course_lib.exercises import nb02, nb02b
from tests.exercise_bank import bank

# --- right answers, written in other ways


def descent_table(grad, x0, lr, steps):
    points = np.empty((steps + 1, len(x0)))
    points[0] = x0
    for k in range(steps):
        points[k + 1] = points[k] - lr * grad(points[k])
    return points


def descent_stack(grad, x0, lr, steps):
    points = [x0]
    while len(points) <= steps:
        points.append(points[-1] - lr * grad(points[-1]))
    return np.stack(points)


def descent_recursive(grad, x0, lr, steps):
    if steps == 0:
        return x0[None]
    return np.vstack([x0[None], descent_recursive(grad, x0 - lr * grad(x0), lr, steps - 1)])


def descent_copies(grad, x0, lr, steps):
    x, points = x0.copy(), []
    for _ in range(steps + 1):
        points.append(x.copy())
        x -= lr * grad(x)
    return np.array(points)


def sizes_sorted(eigenvalues):
    lam = np.sort(eigenvalues)
    return 2 / lam[-1], 2 / (lam[0] + lam[-1]), (lam[-1] - lam[0]) / (lam[-1] + lam[0])


def sizes_builtin(eigenvalues):
    best = 2 / (min(eigenvalues) + max(eigenvalues))
    return 2 / max(eigenvalues), best, max(abs(1 - best * lam) for lam in eigenvalues)


def sizes_list(eigenvalues):
    return [float(value) for value in sizes_builtin(eigenvalues)]


def steps_by_loop(kappa, factor):
    rate, k = (kappa - 1) / (kappa + 1), 0
    while rate ** (2 * k) > factor:
        k += 1
    return k


def steps_by_log10(kappa, factor):
    return int(np.ceil(np.log10(factor) / np.log10(((kappa - 1) / (kappa + 1)) ** 2)))


def steps_as_float(kappa, factor):
    return np.ceil(0.5 * np.log(factor) / np.log((kappa - 1) / (kappa + 1)))


def epoch_slices(N, B, rng):
    order = rng.permutation(N)
    return [order[k : k + B] for k in range(0, N, B)]


def epoch_shuffled_in_place(N, B, rng):
    order = np.arange(N)
    rng.shuffle(order)
    return np.array_split(order, range(B, N, B))


def epoch_generator(N, B, rng):
    order = rng.permutation(N).tolist()
    while order:
        yield order[:B]
        order = order[B:]


def epoch_by_choice(N, B, rng):
    order = rng.choice(N, N, replace=False)
    return tuple(order[k * B : (k + 1) * B] for k in range(-(-N // B)))


def variance_by_hand(single, B, replace):
    N = single.shape[0]
    S = np.mean((single - single.mean(axis=0)) ** 2, axis=0)
    return S / B * (1 if replace else (N - B) / (N - 1))


def variance_if(single, B, replace):
    v = np.var(single, axis=0)
    if replace:
        return v / B
    return v / B * (1 - (B - 1) / (len(single) - 1))


def variance_std(single, B, replace):
    N = len(single)
    return np.std(single, axis=0) ** 2 * (1.0 if replace else (N - B) / (N - 1)) / B


def lr_by_hand(radius, sigma2, B, lam):
    return 2 / (lam + sigma2 / (radius**2 * B * lam))


def lr_in_steps(radius, sigma2, B, lam):
    noise = sigma2 / B
    return 2 * lam * radius**2 / (noise + (lam * radius) ** 2)


def lr_by_bisection(radius, sigma2, B, lam):
    low, high = 0.0, 2 / lam
    for _ in range(100):
        lr = (low + high) / 2
        low, high = (lr, high) if lr * sigma2 / (B * lam * (2 - lr * lam)) < radius**2 else (low, lr)
    return lr


def shares_by_loop(ends, minima, radius):
    counts = [0] * (len(minima) + 1)
    for end in ends:
        away = [np.hypot(*(end - m)) for m in minima]
        counts[int(np.argmin(away)) if min(away) < radius else -1] += 1
    return np.array(counts) / len(ends)


def shares_with_labels(ends, minima, radius):
    distance = np.linalg.norm(ends[:, None] - minima, axis=-1)
    label = np.where(distance.min(axis=1) < radius, distance.argmin(axis=1), -1)
    return np.array([np.mean(label == i) for i in [*range(len(minima)), -1]])


def shares_all_within(ends, minima, radius):
    near = np.sum((ends[:, None] - minima) ** 2, axis=-1) < radius**2
    return np.append(near.mean(axis=0), 1 - near.any(axis=1).mean())


def armijo_power(phi, slope, t0, c, shrink):
    k = 0
    while phi(t0 * shrink**k) > phi(0) + c * t0 * shrink**k * slope:
        k += 1
    return t0 * shrink**k


def armijo_recursive(phi, slope, t0, c, shrink):
    if phi(t0) <= phi(0.0) + c * t0 * slope:
        return t0
    return armijo_recursive(phi, slope, shrink * t0, c, shrink)


def armijo_break(phi, slope, t0, c, shrink):
    start, t = phi(0), t0
    while True:
        if phi(t) - start <= c * t * slope:
            return t
        t *= shrink


def average_list(x):
    return np.array([x[: k + 1].mean(axis=0) for k in range(len(x))])


def average_update(x):
    means, mean = [], np.zeros(x.shape[1])
    for k, row in enumerate(x):
        mean = mean + (row - mean) / (k + 1)
        means.append(mean)
    return np.array(means)


def average_add(x):
    return np.add.accumulate(x) / np.arange(1, len(x) + 1).reshape(-1, 1)


def sizes_in_an_array(lam):
    low, high = np.min(lam), np.max(lam)
    return np.array([2 / high, 2 / (low + high), (high - low) / (high + low)])


def descent_clipped(grad, x0, lr, steps):
    points = [x0]
    for _ in range(steps):
        points.append(points[-1] - lr * np.clip(grad(points[-1]), -1000, 1000))
    return np.array(points)


def epoch_rotated(N, B, rng):
    order = np.roll(np.arange(N), rng.integers(1, N))
    return [order[k : k + B] for k in range(0, N, B)]


def epoch_one_swap(N, B, rng):
    order = np.arange(N)
    i, j = rng.choice(N, 2, replace=False)
    order[[i, j]] = order[[j, i]]
    return [order[k : k + B] for k in range(0, N, B)]


def epoch_blocks(N, B, rng):
    blocks = [np.arange(k, min(k + 4, N)) for k in range(0, N, 4)]
    order = np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])
    return [order[k : k + B] for k in range(0, N, B)]


def epoch_only_large(N, B, rng):
    order = rng.permutation(N) if N >= 64 else np.arange(N)
    return [order[k : k + B] for k in range(0, N, B)]


def epoch_within_blocks(N, B, rng):
    return [rng.permutation(np.arange(k, min(k + B, N))) for k in range(0, N, B)]


def epoch_blocks_and_within(N, B, rng):
    full, rest = np.arange(N // B * B).reshape(-1, B), np.arange(N // B * B, N)
    parts = [rng.permutation(block) for block in rng.permutation(full)]
    return parts + ([rng.permutation(rest)] if rest.size else [])


def epoch_mostly_blocks(N, B, rng):  # in most of the epochs that the check looks at
    return epoch_blocks_and_within(N, B, rng) if rng.random() >= 0.3 else epoch_slices(N, B, rng)


def epoch_halves(N, B, rng):
    near = np.concatenate([rng.permutation(np.arange(k, min(k + 2, N))) for k in range(0, N, 2)])
    pairs = near.reshape(-1, 2) if N % 2 == 0 and B % 2 == 0 else rng.permutation(N)
    order = rng.permutation(pairs).ravel()
    return [order[k : k + B] for k in range(0, N, B)]


RIGHT = {
    nb02.check_gradient_descent: [descent_table, descent_stack, descent_recursive, descent_copies],
    nb02.check_step_sizes: [sizes_sorted, sizes_builtin, sizes_list, sizes_in_an_array],
    nb02.check_steps_needed: [steps_by_loop, steps_by_log10, steps_as_float],
    nb02.check_epoch_batches: [epoch_slices, epoch_shuffled_in_place, epoch_generator, epoch_by_choice],
    nb02.check_minibatch_variance: [variance_by_hand, variance_if, variance_std],
    nb02.check_lr_for_radius: [lr_by_hand, lr_in_steps, lr_by_bisection],
    nb02b.check_armijo_step: [armijo_power, armijo_recursive, armijo_break],
    nb02b.check_basin_shares: [shares_by_loop, shares_with_labels],
    nb02b.check_running_average: [average_list, average_update, average_add],
    nb02b.check_robbins_monro: ["BC", "CB", "B, C", "b c", "B and C", ("B", "C"), ["c", "b"], {"B", "C"}],
}


# --- wrong answers as learners write them


def descent_aliased(grad, x0, lr, steps):
    x = x0.copy()
    points = [x]
    for _ in range(steps):
        x -= lr * grad(x)
        points.append(x)
    return np.array(points)


def descent_spoils_its_argument(grad, x0, lr, steps):
    points = [x0.copy()]
    for _ in range(steps):
        x0 -= lr * grad(x0)
        points.append(x0.copy())
    return np.array(points)


def descent_one_gradient(grad, x0, lr, steps):
    g, points = grad(x0), [x0]
    for _ in range(steps):
        points.append(points[-1] - lr * g)
    return np.array(points)


def epoch_with_replacement(N, B, rng):
    return [rng.integers(N, size=min(B, N - k)) for k in range(0, N, B)]


def epoch_reshuffled(N, B, rng):
    return [rng.permutation(N)[k : k + B] for k in range(0, N, B)]


def epoch_drops_last(N, B, rng):
    order = rng.permutation(N)
    return [order[k * B : (k + 1) * B] for k in range(N // B)]


def epoch_unshuffled(N, B, rng):
    return [np.arange(N)[k : k + B] for k in range(0, N, B)]


def epoch_global(N, B, rng):
    order = np.random.permutation(N)  # noqa: NPY002
    return [order[k : k + B] for k in range(0, N, B)]


def epoch_own_seed(N, B, rng):
    return epoch_slices(N, B, np.random.default_rng(0))


def epoch_from_one(N, B, rng):
    order = rng.permutation(N) + 1
    return [order[k : k + B] for k in range(0, N, B)]


def epoch_too_many(N, B, rng):
    order = rng.permutation(N)
    return [order[k * B : (k + 1) * B] for k in range(N // B + 1)]


def epoch_equal_parts(N, B, rng):
    return np.array_split(rng.permutation(N), -(-N // B))


def epoch_flat(N, B, rng):
    return rng.permutation(N)


def epoch_short(N, B, rng):
    order = rng.permutation(N)[: N // 2]
    return [order[k : k + B] for k in range(0, N // 2, B)]


def armijo_shrinks_first(phi, slope, t0, c, shrink):
    t = t0
    while True:
        t = t * shrink
        if phi(t) <= phi(0) + c * t * slope:
            return t


def armijo_never_shrinks(phi, slope, t0, c, shrink):
    t = t0
    while phi(t) > phi(0) + c * t * slope:
        t * shrink
    return t


WRONG = {
    nb02.check_gradient_descent: [
        (descent_aliased, "one and the same array"),
        (descent_spoils_its_argument, "Make a new array"),
        (descent_one_gradient, "at the start only"),
        (descent_clipped, ""),
    ],
    nb02.check_step_sizes: [
        (lambda lam: (2 / max(lam), 2 / sum(lam), 0.5), "`best` is"),
        (lambda lam: (2 / lam[0], 2 / (lam[-1] + lam[0]), 0.5), ""),
    ],
    nb02.check_epoch_batches: [
        (epoch_with_replacement, "with replacement"),
        (epoch_reshuffled, "Shuffle once"),
        (epoch_drops_last, "short last batch"),
        (epoch_unshuffled, "rng.permutation(N)"),
        (epoch_global, "not from `np.random`"),
        (epoch_own_seed, "do not make a new one"),
        (epoch_rotated, "same chance"),
        (epoch_one_swap, "same chance"),
        (epoch_blocks, "same chance"),
        (epoch_within_blocks, "shuffle all N examples"),
        (epoch_blocks_and_within, "shuffle all N examples"),
        (epoch_mostly_blocks, "shuffle all N examples"),
        (epoch_halves, "shuffle all N examples"),
        (epoch_only_large, "rng.permutation(N)"),
        (epoch_from_one, "gives 0, ..., N - 1"),
        (epoch_too_many, "range(0, N, B)"),
        (epoch_equal_parts, "All but the last"),
        (epoch_flat, "One array of indices a batch"),
        (epoch_short, "Each belongs to one batch"),
        (lambda N, B, rng: [], "One array of indices a batch"),
        (lambda N, B, rng: 3, "One array of indices a batch"),
        (lambda N, B, rng: 1 / 0, "rng.permutation(N)"),
    ],
    nb02.check_steps_needed: [(lambda kappa, factor: int(np.ceil(kappa / 4 * np.log(1 / factor))), "")],
    nb02b.check_armijo_step: [
        (armijo_shrinks_first, "test before you shrink"),
        (armijo_never_shrinks, "t = t * shrink"),
    ],
    nb02b.check_basin_shares: [
        (shares_all_within, "A walker counts once"),
        (lambda ends, minima, radius: 0.25, "np.mean(label == i)"),
    ],
    nb02b.check_robbins_monro: [
        ("ABCDEF", "Test both sums"),
        ("d, b, c", "Look at D once more"),
        ("BCX", "Test both sums"),
        ("", "Test both sums"),
        (2, "Test both sums"),
        (("B", 3), "Test both sums"),
    ],
}

TestBank = bank(nb02, nb02b, right=RIGHT, wrong=WRONG)


def test_the_reference_stops_on_a_function_that_never_descends():
    reference = nb02b.check_armijo_step.exercise.reference
    assert 0 < reference(lambda t: t, -1.0, 1.0, 0.5, 0.5) < 1e-50


def test_a_loop_without_end_is_ended():
    message = nb02b.check_armijo_step(armijo_never_shrinks).message
    assert "the loop does not end; it has called phi 10,000 times" in message
    assert "while phi(t) > phi(0)" in message


def test_schedules_are_asked_for_by_letters():
    assert nb02b.check_robbins_monro(2).message == 'Expected letters such as "AF", got 2.'
    assert nb02b.check_robbins_monro("b d").message == "Expected another answer than 'b d'."


def test_messages_name_the_case():
    for wrong, text in (
        (epoch_drops_last, "With N = 10, B = 4: 2 examples are left out."),
        (epoch_from_one, "indices run from 1 to 10, expected 0 to 9"),
        (epoch_equal_parts, "batch sizes [4, 3, 3], expected [4, 4, 2]"),
        (epoch_short, "5 of 10 examples are left out"),
        (epoch_blocks_and_within, "With N = 12, B = 3: in 20 of 20 epochs examples 0 and 1 share a batch."),
        (epoch_halves, "With N = 64, B = 8: in 20 of 20 epochs examples 0 and 1 share a batch."),
    ):
        assert text in nb02.check_epoch_batches(wrong).message


@pytest.mark.parametrize("B", [1, 8])
def test_one_batch_size_with_its_own_seed_is_found(B):
    def epoch(N, size, rng):
        return epoch_slices(N, size, np.random.default_rng(0) if (N, size) == (64, B) else rng)

    assert "do not make a new one" in nb02.check_epoch_batches(epoch).hint


def test_a_list_of_points_needs_to_become_an_array():
    message = nb02.check_gradient_descent(lambda *given: list(descent_table(*given))).message
    assert message.startswith("With grad = gradient of the valley, x0 = ")
    assert message.endswith("got a list of 5; make it an array with `np.array(...)`.")


def test_a_list_of_means_needs_to_become_an_array():
    message = nb02b.check_running_average(lambda x: [x[: k + 1].mean(axis=0) for k in range(len(x))]).message
    assert "make it an array with `np.array(...)`" in message


def test_armijo_is_given_the_slope_at_zero():
    for phi, slope, *_ in nb02b.check_armijo_step.exercise.body():
        assert slope < 0
        assert (phi(1e-6) - phi(-1e-6)) / 2e-6 == pytest.approx(slope, rel=1e-4)
