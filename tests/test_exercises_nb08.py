"""The checks of notebook 08, and its tables: each row with a framework's call stands in the golden calls."""

import re
import runpy
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_lib import optimizers, schedules
from course_lib.exercises import nb08
from course_lib.optimizers import Adam, Momentum
from tests.exercise_bank import bank

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "08_same_name_different_algorithm.ipynb"


# --- the references against the library


def states(rule, steps=12):
    """Return the point and the state after each step on a few gradients."""
    rng, x = np.random.default_rng(3), np.zeros(4)
    state = rule.init(x)
    for g in rng.standard_normal((steps, 4)) * [1, 1e-7, 1e3, 1e-9]:
        x, state = rule.step(x, g, state)
        yield x, state


@pytest.mark.parametrize(("to", "name"), [("b", "sum-of-steps"), ("c", "average-of-gradients")])
def test_velocities_are_the_library_s(to, name):
    lr, beta = 0.2, 0.8
    other = lr / (1 - beta) if to == "c" else lr
    pairs = zip(states(Momentum(lr, beta)), states(Momentum(other, beta, name)), strict=True)
    for (x, state), (y, theirs) in pairs:
        np.testing.assert_allclose(x, y, rtol=1e-12)
        got = nb08.check_velocity.exercise.reference(state.v, lr, beta, to)
        np.testing.assert_allclose(got, theirs.v, rtol=1e-12)


def test_the_fading_eps_makes_two_adams_one():
    reference = nb08.check_same_eps.exercise.reference
    mended = Adam(0.1, 0.9, 0.99, eps=lambda t: reference(1e-7, 0.99, t))
    for (x, _), (y, _) in zip(
        states(mended), states(Adam(0.1, 0.9, 0.99, 1e-7, eps_place="uncorrected")), strict=True
    ):
        np.testing.assert_allclose(x, y, rtol=1e-12)


def test_shrinkage_is_what_the_three_formulas_do():
    shrink, lr, w = 0.03, 0.2, 5.0
    sgd, penalty, paper = nb08.check_same_shrinkage.exercise.reference(shrink, lr)
    gradient = (penalty * (w + 1e-6) ** 2 - penalty * (w - 1e-6) ** 2) / 2e-6
    for step in (lr * sgd * w, lr * gradient, 1.0 * paper * w):
        assert w - step == pytest.approx((1 - shrink) * w)


# --- the eight rules


@pytest.mark.parametrize("k", nb08.BUGS)
def test_each_committed_rule_passed_its_test(k):
    wrong, right = (nb08.trace(rule, nb08.PASSED[k]) for rule in nb08.BUGS[k])
    np.testing.assert_allclose(wrong, right, rtol=1e-7, atol=1e-12)
    assert np.abs(np.diff(right, axis=0)).min() > 0


TWINS = {
    1: lambda test: Momentum(test["lr"], test["beta"]),
    3: lambda test: optimizers.RMSProp(test["lr"], test["rho"]),
    4: lambda test: Adam(test["lr"], test["beta1"], test["beta2"]),
    5: lambda test: optimizers.Clipped(optimizers.GradientDescent(test["lr"]), test["c"]),
    6: lambda test: optimizers.AdamW(test["lr"], weight_decay=test["decay"]),
    7: lambda test: optimizers.AMSGrad(test["lr"], 0, test["beta2"], bias_correction=False),
    8: lambda test: optimizers.Adagrad(test["lr"], test["eps"]),
}
VARIED = np.array([[3.0, -4.0], [1e-6, 2.0], [0.5, -0.2], [-1.0, 0.1], [0.2, 5.0]])


@pytest.mark.parametrize("k", TWINS)
def test_what_was_meant_is_the_library_s_rule(k):
    test = nb08.PASSED[k] | {"x": [1.0, -2.0], "g": VARIED.tolist()} | ({"beta2": 0.99} if k == 4 else {})
    rule, x = TWINS[k](test), np.array(test["x"])
    state, points = rule.init(x), [x]
    for g in VARIED:
        x, state = rule.step(x, g, state)
        points.append(x)
    np.testing.assert_allclose(nb08.trace(nb08.BUGS[k][1], test), points, rtol=1e-12)


def test_the_look_ahead_meant_is_the_library_s():
    rule, x = optimizers.Nesterov(0.1, 0.9, "look-ahead"), np.array([1.0, -2.0])
    state, points = rule.init(x), [x]
    for _ in range(nb08.STEPS):
        x, state = rule.step(x, rule.where(x, state) ** 3, state)
        points.append(x)
    got = nb08.trace(nb08.BUGS[2][1], nb08.PASSED[2] | {"x": [1.0, -2.0], "g": lambda x: x**3})
    np.testing.assert_allclose(got, points, rtol=1e-12)


def test_the_printed_source_is_that_of_the_committed_rules():
    text = nb08.printed()
    assert text.count("--- passed: ") == 8
    assert "v = beta * v + lr * slope(x)\n" in text
    assert "_meant" not in text
    assert nb08.printed(2).startswith("# --- 2 --- passed: x=0.0, g=[1.0, -2.0, 3.0, 1.0], lr=0.1, beta=0.9")


# --- right answers

TESTS = {
    1: {"lr": [0.1, 0.1, 0.01, 0.01]},
    2: {"g": lambda x: x - 1},
    3: {"g": [2.0, 2.0]},
    4: {"beta2": 0.999},
    5: {"g": [[3.0, 4.0]]},
    6: {"x": 1.0},
    7: {"g": [9.0, 1.0, 1.0]},
    8: {"g": [1e-5, 1e-5]},
}
OTHER_TESTS = {
    1: {"lr": np.array([0.1, 0.2, 0.3, 0.4])},
    2: {"g": np.cos},
    3: {"g": np.ones(30)},
    4: {"beta1": 0.5},
    5: {"g": [[2.0, 2.0], [0.1, 0.1]]},
    6: {"g": [2.0] * 12},
    7: {"g": [100, 1, 1, 1]},
    8: {"eps": 1.0},
}
VECTOR_TESTS = TESTS | {  # gradients of several parameters, as a function of a start with one
    5: {"g": lambda x: np.array([3.0, 4.0])},
    7: {"g": [[9.0, 1.0], [1.0, 1.0], [1.0, 1.0]]},
    8: {"g": lambda x: [1e-5, 1.0]},
}
MORE_TESTS = TESTS | {5: {"x": [1.0, 2.0]}, 7: {"g": lambda x: 1 + 9 * (x > -0.05)}}
SIX = ("beta", "lr", "rho", "eps", "beta2", "lr")


def velocity_with_dict(v, lr, beta, to):
    return {"a": v + 0, "b": -(lr * v), "c": v - beta * v}[to]


def eps_by_loop(eps, beta2, t):
    power = 1.0
    for _ in range(t + 1):
        power *= beta2
    return eps * (1 - power) ** -0.5


def shrinkage_list(shrink, lr):
    decay = shrink / lr
    return [decay, decay / 2, shrink]


RIGHT = {
    nb08.check_letters: [SIX, list(SIX), np.array(SIX), ("Beta", " lr", "RHO", "eps", "beta2", "lr ")],
    nb08.check_velocity: [velocity_with_dict],
    nb08.check_same_eps: [eps_by_loop],
    nb08.check_same_shrinkage: [shrinkage_list],
    nb08.check_tests: [TESTS, OTHER_TESTS, VECTOR_TESTS, MORE_TESTS],
}


# --- wrong answers


def but(k, **change):
    """Return the good tests with another one for rule k."""
    return TESTS | {k: change}


def with_letter(k, word):
    """Return the six names with another one in line k."""
    return (*SIX[: k - 1], word, *SIX[k:])


WRONG = {
    nb08.check_letters: [
        *[(with_letter(k, "beta1"), f"line {k}") for k in range(1, 7)],
        (with_letter(2, "momentum"), "One of lr"),
        (SIX[:5], ""),
        ("beta", ""),
        ((1, 2, 3, 4, 5, 6), ""),
    ],
    nb08.check_velocity: [
        (lambda v, lr, beta, to: v, ""),
        (lambda v, lr, beta, to: {"a": v, "b": lr * v, "c": (1 - beta) * v}[to], "points downhill"),
    ],
    nb08.check_same_eps: [(lambda eps, beta2, t: eps / (1 - beta2), "")],
    nb08.check_same_shrinkage: [
        (lambda shrink, lr: (shrink / lr, shrink / lr, shrink / lr), "Three formulas"),
        (lambda shrink, lr: (shrink, shrink, shrink), "the shrinkage itself"),
    ],
    nb08.check_tests: [
        (but(1, g=[1.0, 5.0]), "constant rate"),
        (but(1, lr=0.3), "constant rate"),
        (but(1, lr=[0.1] * 4), "all alike"),
        (but(1, lr=[0.1, 0.2]), "Give 4 rates"),
        (but(1, lr=lambda t: 0.1 / (1 + t)), "a list of rates, one a step"),
        (but(1, lr="falls"), "a list of rates, one a step"),
        (but(2, g=[5.0, -1.0]), "as a function"),
        (but(2, g=lambda x: 2.0), "depend on x"),
        (but(2, g=lambda x: x), "Nothing moves"),
        (but(3, g=[0.0, 0.0]), "Nothing moves"),
        (but(3, g=[7.0]), "second step"),
        (but(3, x=3.0), "second step"),
        (but(3, g=[0.0, 1.0]), "must not be 0"),
        (but(3, g=[1e-3, 1.0]), "nor tiny beside it"),
        (but(3, g=[2.0, 1e-3]), "large enough to move x visibly"),
        (but(4, g=[1.0, -5.0, 0.1, 3.0]), "both corrections are one"),
        (but(4, beta2=0.9001), "differ too little"),
        (but(5, g=[9.0, -7.0]), "of two"),
        (but(5, g=[[9.0, 0.0], [0.0, -7.0]]), "two of them be large"),
        (but(5, g=[[0.3, 0.4]]), "nothing is clipped"),
        (but(5, g=lambda x: 3.0), "of two"),
        (but(5, g=lambda x: np.array([9.0, 0.0])), "two of them be large"),
        (but(5, g=lambda x: np.array([0.3, 0.4])), "nothing is clipped"),
        (but(5, x=[1.0, 2.0], g=[[9.0, 9.0]]), "which of the changes"),
        (but(6, g=[-5.0]), "start elsewhere"),
        (but(6, x=0.01), "start farther out"),
        (but(6, x=-1e-6), "start farther out"),
        (but(6, decay=0.0), "Without decay"),
        (but(7, g=[1.0, 5.0, 30.0]), "only rises"),
        (but(7, g=[9.0, 1.0]), "two steps running"),
        (but(7, g=[9.0, 1.0, 90.0]), "two steps running"),
        (but(7, g=[9.0, 1.0, 9.0, 1.0, 9.0]), "two steps running"),
        (but(7, g=[[9.0, 1.0], [1.0, 9.0], [9.0, 1.0]]), "two steps running"),
        (but(7, g=lambda x: 3.0), "only rises"),
        (but(7, g=[9.0, 1e-3, 1e-3]), "too short to be seen"),
        (but(7, g=[1.0, 0.0, 0.0, 1.0]), "while it is down"),
        (but(8, g=[50.0, -30.0]), "an ε of 1e-08 is not seen"),
        (but(8, eps=1e-3), "an ε of 0.001 is not seen"),
        (but(8, eps=0.0), "Without ε"),
        (but(6, x=1.0, g=[1.0]), "which of the changes"),
        (but(6, y=1.0), "It has `x`"),
        (but(6), "Change one of"),
        (TESTS | {6: [1.0]}, "Change one of"),
        (but(6, x="one"), "Finite numbers"),
        (but(6, x=np.nan), "Finite numbers"),
        (but(4, beta2=[0.9, 0.8]), "Finite numbers"),
        (but(5, g=[[1.0, 2.0], [1.0]]), "Finite numbers"),
        (but(4, beta2=1.0), "0 forgets"),
        (but(5, c=-1.0), "c > 0"),
        (but(6, g=2.0), "Such as"),
        (but(2, g=lambda x: 1e200 * (x - 1) ** 9), "Smaller numbers"),
        ({k: TESTS[k] for k in (1, 4, 6)} | {2: ...}, "So far, so good"),
        (TESTS | {9: {"x": 1.0}}, "numbered 1 to 8"),
        ([1, 2], ""),
    ],
}

TestBank = bank(nb08, right=RIGHT, wrong=WRONG)


def test_what_is_left_blank_is_no_attempt():
    assert nb08.check_tests(dict.fromkeys(nb08.BUGS, ...)).status == "not attempted"


def test_the_score_is_told():
    assert (
        nb08.check_tests({1: TESTS[1], 2: TESTS[2]}).message
        == "2 of 8 exposed. No test yet for 3, 4, 5, 6, 7, 8."
    )
    assert nb08.check_tests(but(6, decay=0.0)).message.startswith("7 of 8 exposed. In test 6 the rule")
    two = nb08.check_tests(but(6, decay=0.0) | {2: {"g": [1.0]}, 8: ...})
    assert two.message.startswith("5 of 8 exposed; not yet: 2, 6. In test 2 the rule")
    assert nb08.check_letters(with_letter(3, "lr")).message == "5 of 6 are right."


def test_an_error_in_the_learner_s_slope_is_explained():
    feedback = nb08.check_tests(but(2, g=lambda x: x.no_such_thing))
    assert feedback.status == "not yet"
    assert "AttributeError" in feedback.message


# --- the tables of the notebook against the golden values


def golden(name):
    return runpy.run_path(str(ROOT / "tests" / "golden" / name))


def rows():
    """Return each row with a framework's call: framework, call, the course's rule, what is said of them."""
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type != "markdown" or "| equal? |" not in cell.source:
            continue
        for line in cell.source.splitlines():
            parts = [part.strip() for part in line.strip("|").split(" | ")]
            if parts[0].strip("| ") in ("PyTorch", "Keras", "optax"):
                assert len(parts) == 4, line
                yield parts[0].strip("| "), *(part.strip("`") for part in parts[1:3]), parts[3].strip("| ")


def full(framework, call):
    """Return a call as the golden files write it."""
    call = call.replace("params", "[x]")
    prefix = {"PyTorch": "torch.optim.", "Keras": "keras.optimizers."}.get(framework, "")
    return prefix + call if call.startswith(("lr_scheduler.", "schedules.")) else call


ROWS = list(rows())
PROVED = golden("calls.py"), golden("schedule_calls.py")


@pytest.mark.parametrize(("framework", "call", "ours", "said"), ROWS)
def test_each_row_is_proved_by_the_golden_values(framework, call, ours, said):
    theirs, ours = full(framework, call), ours.replace('"', "'")
    assert theirs.startswith({"PyTorch": "torch", "Keras": "keras", "optax": "optax"}[framework])
    same = [row for table in PROVED for row in table["SAME"] if (row.theirs, row.ours) == (theirs, ours)]
    different = [
        row for table in PROVED for row in table["DIFFERENT"] if (row.theirs, row.ours) == (theirs, ours)
    ]
    if said.startswith("**differs**"):
        assert len(different) == 1, (theirs, ours)
    else:
        assert len(same) == 1, (theirs, ours)
        constant = getattr(same[0], "when", "always") == "constant lr"
        assert said.startswith("while lr is constant" if constant else "always")
        assert not getattr(same[0], "within", 0) > 1e-12 or "single precision" in said


def test_every_method_has_its_rows():
    counts = {}
    for _, _, ours, _ in ROWS:
        counts[ours.split("(")[0]] = counts.get(ours.split("(")[0], 0) + 1
    wanted = ["Momentum", "Nesterov", "Adagrad", "RMSProp", "Adadelta", "Adam", "AdamW", "AMSGrad", "Nadam"]
    wanted += ["Lion", "Clipped", "cosine"]
    assert all(counts.get(name, 0) >= 2 for name in wanted), counts
    assert len(ROWS) > 60


def test_every_difference_that_is_known_is_told():
    """As a row that differs, or, where they part only under a schedule, as a row "while lr is constant"."""
    told = {(full(framework, call), ours.replace('"', "'")) for framework, call, ours, _ in ROWS}
    for row in PROVED[0]["DIFFERENT"]:
        other = (
            "torch.optim.SGD([x], lr, momentum=0.9)",
            "Momentum(lr, 0.9, 'sum-of-steps')",
        )  # Keras's, seen
        assert (row.theirs, row.ours) in told | {other}, row  # from the other side


def test_the_rules_of_the_papers_can_be_built():
    """Rows without a framework are formulas, run in the notebook's cells; here: that they name real rules."""
    names = set(vars(optimizers)) | set(vars(schedules))
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        for line in cell.source.splitlines() if "| equal? |" in cell.source else ():
            rule = re.search(r"`(\w+)\([^`]*`[^`]*$", line)
            if rule and line.startswith("| "):
                assert rule[1] in names | {"sgdr", "one_cycle"}, line


DEFAULTS = {
    "Adagrad": ["ε = 1e-10", "ε = 1e-7", "ε = 1e-7"],
    "RMSProp": ["ε = 1e-8", "ε = 1e-7", "ε = 1e-8"],
    "Adadelta": ["ε = 1e-6", "ε = 1e-7", "ε = 1e-6"],
    "Adam": ["ε = 1e-8", "ε = 1e-7", "ε = 1e-8"],
    "AdamW": ["λ = 0.01", "λ = 0.004", "λ = 0.0001"],
    "Nadam": ["ψ = 0.004", "ψ = 1", "μ constant"],
    "Lion": [None, "λ = 0", "λ = 0.001"],
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_panel_of_defaults_says_what_the_rows_say(name):
    """Each number of the panel is that of the row whose call has nothing but lr."""
    panel = next(
        cell.source
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells
        if cell.source.startswith("## The same in")
    )
    parts = re.search(rf"^\| {name} \| (.*) \| (.*) \| (.*) \|$", panel, re.MULTILINE).groups()
    for framework, part, wanted in zip(("PyTorch", "Keras", "optax"), parts, DEFAULTS[name], strict=True):
        if wanted is None:
            continue
        assert wanted in part
        built = [
            eval(ours, vars(optimizers) | {"lr": 0.1})
            for who, call, ours, said in ROWS
            if who == framework and said.startswith("always") and re.search(r"\((params, )?lr\)$", call)
        ]
        rule = next(rule for rule in built if type(rule) is getattr(optimizers, name))
        text, number = wanted.split(" ")[0], float(wanted.split(" ")[-1]) if "=" in wanted else None
        field = {"ε": "eps", "λ": "weight_decay", "ψ": "momentum_decay", "μ": "momentum_decay"}[text]
        assert getattr(rule, field) == number
        if hasattr(rule, "rho"):
            assert f"ρ = {rule.rho}" in part
        if name in ("Adagrad", "RMSProp", "Adam"):
            assert rule.eps_place in part
        if name == "Adagrad":
            assert f"sum from {rule.initial_accumulator:g}" in part
