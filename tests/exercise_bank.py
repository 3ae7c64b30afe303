"""What the checks of every notebook must stand: the notebook's own test file holds the bank of answers.

    TestBank = bank(nb03, right={check: [answer, ...]}, wrong={check: [(answer, words), ...]})

`right` gives each check of the module right answers, written in other ways than the reference; `wrong` gives
some of them answers as learners write them, beyond the mistakes that the check lists itself, each with words
of the hint that it must meet ("" where none is meant for it).
"""

import pytest


def bank(*modules, right, wrong):
    """Return a class of tests for all checks of these modules of `course_lib.exercises`."""
    checks = [thing for module in modules for thing in vars(module).values() if hasattr(thing, "exercise")]

    class Bank:
        @pytest.fixture(autouse=True)
        def _own_progress(self, monkeypatch, tmp_path):
            monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))

        def test_every_check_has_right_answers(self):
            assert set(right) == set(checks)
            assert all(right.values())

        @pytest.mark.parametrize(("check", "answer"), cases(right))
        def test_right_answers_pass(self, check, answer):
            feedback = check(answer)
            assert feedback.status == "passed", feedback
            assert check(answer, solution=True).status == "passed"

        @pytest.mark.parametrize(("check", "entry"), cases(wrong))
        def test_wrong_answers_get_a_fitting_hint(self, check, entry):
            answer, words = entry
            feedback = check(answer)
            assert feedback.status == "not yet", feedback
            assert words in feedback.hint, feedback

        @pytest.mark.parametrize(
            ("check", "mistake"), cases({check: check.exercise.mistakes for check in checks})
        )
        def test_each_listed_mistake_gets_its_own_hint(self, check, mistake):
            hint, answer = mistake
            feedback = check(answer)
            assert (feedback.status, feedback.hint) == ("not yet", hint), feedback

        @pytest.mark.parametrize("check", checks, ids=number)
        def test_a_blank_stub_is_no_attempt(self, check):
            def stub(*arguments): ...

            blanks = [..., None, stub] if callable(right[check][0]) else [..., None]
            assert [check(blank).status for blank in blanks] == ["not attempted"] * len(blanks)

        @pytest.mark.parametrize("check", [c for c in checks if c.exercise.kind == "function"], ids=number)
        def test_the_reference_passes(self, check):
            assert check(check.exercise.reference, solution=True).status == "passed"

    return Bank


def cases(answers):
    """Return one test's parameters for each answer: the check, and what `answers` says of it."""
    return [
        pytest.param(check, entry, id=f"{number(check)}-{i}")
        for check, entries in answers.items()
        for i, entry in enumerate(entries)
    ]


def number(check):
    """Return the number of the exercise, such as "03.1"."""
    return check.exercise.number
