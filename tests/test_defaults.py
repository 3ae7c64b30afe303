"""The tables of defaults in notebooks 07 and 08: each cell as the frameworks' signatures have it."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from course_lib.contest import METHODS

ROOT = Path(__file__).parents[1]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "defaults.json").read_text(encoding="utf-8"))
FRAMEWORKS = ("PyTorch", "Keras", "optax")
CALLS = {
    framework: {name.lower(): each for name, each in GOLDEN[framework].items()} for framework in FRAMEWORKS
}
NAMES = {
    "sum from": {"initial_accumulator_value"},
    "ε =": {"eps", "epsilon"},
    "ρ =": {"alpha", "rho", "decay"},
    "λ =": {"weight_decay"},
    "ψ =": {"momentum_decay"},
}
NUMBER = r"\d[\d.]*(?:e-?\d+)?"


def tables(name):
    """Yield each table of the notebook as {first cell: the others}, and its lines."""
    (path,) = (ROOT / "notebooks").glob(f"{name}_*.ipynb")
    for cell in nbformat.read(path, as_version=4).cells:
        for lines in re.findall(r"(?:^\|.*\|$\n?)+", cell.source, re.MULTILINE):
            rows = [[part.strip() for part in line.split("|")[1:-1]] for line in lines.splitlines()]
            yield {first.strip("`"): rest for first, *rest in rows}, lines.splitlines()


def table(name, *first_cells):
    """Return the head and {first cell: the others} of the table with these rows and an empty corner."""
    (found,) = (rows for rows, _ in tables(name) if {"", *first_cells} <= set(rows))
    return found.pop(""), {first: rest for first, rest in found.items() if not first.startswith("---")}


def rate(framework, method):
    """Return the default of the rate, or "required"; None where no call or no rate is needed."""
    arguments = CALLS[framework][method.lower()]
    return arguments and arguments.get("lr", arguments.get("learning_rate"))


def rates(text, framework):
    """Return {method: rate} of a cell such as "0.001; but SGD 0.01"."""
    usual, *exceptions = re.split("; but |, ", text)
    told = {method: float(usual) for method, arguments in CALLS[framework].items() if arguments}
    for words in exceptions:
        names, number = words.rsplit(" ", 1)
        others = dict.fromkeys((name.lower() for name in names.split(" and ")), float(number))
        assert set(others) <= set(told), words
        told |= others
    return told


def settings(text):
    """Return {what: number} of a cell such as "ρ = 0.9, ε = 1e-7 inside": every number has a name."""
    told = dict(re.findall(rf"({'|'.join(NAMES)}) ({NUMBER})", text))
    assert len(told) == len(re.findall(NUMBER, text)), text
    return {what: float(number) for what, number in told.items()}


def signed(arguments, what):
    """Return one number of a signature; Keras's weight_decay=None is 0."""
    (name,) = NAMES[what] & set(arguments)
    return arguments[name] or 0


# --- notebook 08

PANEL = ("lr", "Adagrad", "RMSProp", "Adadelta", "Adam", "AdamW", "Nadam", "Lion")
TOLD = {  # what a row of the panel must tell of each framework that has it in its signature
    "Adagrad": {"sum from", "ε ="},
    "RMSProp": {"ρ =", "ε ="},
    "Adadelta": {"ρ =", "ε ="},
    "Adam": {"ε ="},
    "AdamW": {"λ ="},
    "Nadam": {"ψ ="},
    "Lion": {"λ ="},
}


def test_the_rates_in_08():
    head, rows = table("08", *PANEL)
    assert head == list(FRAMEWORKS)
    assert set(rows) == set(PANEL) == {"lr", *TOLD}
    for framework, text in zip(FRAMEWORKS[:2], rows["lr"], strict=False):
        wanted = {name: rate(framework, name) for name, call in CALLS[framework].items() if call}
        assert rates(text, framework) == wanted, text
    assert rows["lr"][2] == "must be given; but see Adadelta"
    missing = {name for name in CALLS["optax"] if rate("optax", name) != "required"}
    assert missing == {"adadelta"}
    assert "`lr` may be left out" in rows["Adadelta"][2]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method", TOLD)
def test_the_settings_in_08(method, framework):
    text = table("08", *PANEL)[1][method][FRAMEWORKS.index(framework)]
    arguments = CALLS[framework][method.lower()]
    if arguments is None:
        assert text == "(has none)"
        return
    if method == "Nadam" and framework != "PyTorch":  # no argument: the golden calls show what it is
        assert not NAMES["ψ ="] & set(arguments)
        assert text == {"Keras": "ψ = 1", "optax": "μ constant"}[framework]
    else:
        assert settings(text) == {what: signed(arguments, what) for what in TOLD[method]}, text


def test_the_settings_beside_the_calls_in_08():
    """Such as "always: ρ = 0.99, ε outside" beside a call with nothing but the rate."""
    row = re.compile(r"\| (\w+) \| `[\w.]+\.(\w+)\((?:params, )?lr\)` \| .* \| always: (.*) \|")
    seen = []
    for found in filter(None, (row.fullmatch(line) for _, lines in tables("08") for line in lines)):
        framework, call, text = found.groups()
        told = settings(text)
        assert told == {what: signed(GOLDEN[framework][call], what) for what in told}, text
        seen += [call] * bool(told)
    assert {"Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "NAdam"} <= set(seen)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_names_of_arguments_in_08(framework):
    """What stands as code in a framework's column is an argument of one of its calls."""
    (rows,) = (rows for rows, _ in tables("08") if framework in rows.get("here", ()))
    arguments = {name for call in GOLDEN[framework].values() if call for name in call}
    for first in ("lr", "beta", "beta1`, `beta2", "rho", "eps"):
        text = rows[first][rows["here"].index(framework)]
        assert text.startswith("`"), text
        assert set(re.findall(r"`(\w+)", text)) <= arguments | {"trace"}, text


def test_adadelta_without_a_rate_climbs():
    _, rows = table("08", *PANEL)
    assert "*climbs*" in rows["Adadelta"][2]
    climb, descent = GOLDEN["runs"]["adadelta()"], GOLDEN["runs"]["adadelta(1.0)"]
    assert climb == sorted(climb)
    assert climb[0] < climb[-1]
    assert descent == sorted(descent, reverse=True)


def test_one_cycle_moves_momentum():
    """And turns it on in an SGD that had none, unless told not to."""
    (row,) = (line for _, lines in tables("08") for line in lines if "| `lr_scheduler.OneCycleLR" in line)
    assert "moves momentum" in row
    assert "`cycle_momentum=False`" in row
    before, *moved = GOLDEN["runs"]["OneCycleLR(optimizer, 0.1, 12)"]
    assert before == 0
    assert moved[0] == float(re.search(r"turns it on \((.*?)\) in an SGD that had none", row)[1])
    assert min(moved) < 0.9 < max(moved)
    assert not any(GOLDEN["runs"]["OneCycleLR(optimizer, 0.1, 12, cycle_momentum=False)"])


def test_both_cycles_of_pytorch_move_momentum():
    """06b says it of CyclicLR too."""
    before, *moved = GOLDEN["runs"]["CyclicLR(optimizer, 0.01, 0.1, 3)"]
    assert before == 0
    assert min(moved) < 0.85 < max(moved)
    assert not any(GOLDEN["runs"]["CyclicLR(optimizer, 0.01, 0.1, 3, cycle_momentum=False)"])


# --- notebook 07


def test_the_rates_in_07():
    """A cell without a number, such as "(has none)", stands where the signature has none."""
    head, rows = table("07", "PyTorch", "Keras")
    methods = {"SGD", "Adagrad", "RMSProp", "Adadelta", "Adam", "AdamW", "Nadam", "Lion"}
    assert set(", ".join(head).split(", ")) == methods
    for framework, row in rows.items():
        for names, text in zip(head, row, strict=True):
            told = [float(number) for number in re.findall(NUMBER, text)]
            for method in names.split(", "):
                wanted = rate(framework, method)
                assert told == ([wanted] if isinstance(wanted, float) else []), (framework, method)


@pytest.mark.parametrize("name", METHODS)
def test_the_default_rates_of_the_shoot_out_are_pytorch_s(name):
    twin = {"Momentum": "SGD", "Nesterov": "SGD", "AMSGrad": "Adam"}.get(name, name)
    assert METHODS[name].default == (1e-4 if name == "Lion" else rate("PyTorch", twin))
