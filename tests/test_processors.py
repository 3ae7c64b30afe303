"""The settings of `make processors` really compute otherwise: else their green runs would prove nothing."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from tools.commands import PROCESSORS

BITS = """
import hashlib
import numpy as np

rng = np.random.default_rng(0)
a, b = rng.normal(size=(200, 300)), rng.normal(size=(300, 100))
for result in (np.exp(a), a @ b):
    print(hashlib.sha256(result.tobytes()).hexdigest())
"""
VARIABLES = {name for setting in PROCESSORS.values() for name in setting}


def no_effect():
    """Say why the settings cannot have an effect on this machine; None if they can."""
    from numpy._core._multiarray_umath import __cpu_features__

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return f"the settings are for x86-64, this is {platform.machine()}"
    if not __cpu_features__["X86_V3"]:
        return "this processor has no vectors wider than NumPy's baseline"
    if "openblas" not in blas.lower():
        return f"this NumPy multiplies with {blas}, not with OpenBLAS"
    return None


REASON = no_effect()


def bits(setting):
    """Return digests of exp and of a product, computed in a fresh process under this setting."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, "-c", BITS]
    return subprocess.run(
        command, env=environment | setting, check=True, capture_output=True, text=True
    ).stdout.split()


@pytest.fixture(scope="module")
def native():
    return bits({})


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
class TestSettings:
    def test_same_setting_gives_the_same_bits(self, native):
        assert bits({}) == native

    @pytest.mark.parametrize("name", PROCESSORS)
    def test_setting_changes_bits(self, name, native):
        assert bits(PROCESSORS[name]) != native

    def test_old_processor_changes_the_product(self, native):
        assert bits(PROCESSORS["an old processor, one thread"])[1] != native[1]

    def test_narrow_vectors_change_exp(self, native):
        assert bits(PROCESSORS["narrow vectors, two threads"])[0] != native[0]

    def test_other_names_of_features_are_ignored(self, native):
        """Why the names in PROCESSORS are what they are: NumPy knows no AVX2 any more."""
        environment = {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}
        command = [sys.executable, "-W", "ignore", "-c", BITS]
        clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        done = subprocess.run(command, env=clean | environment, check=True, capture_output=True, text=True)
        assert done.stdout.split() == native


def test_settings_are_those_of_the_design():
    assert list(PROCESSORS.values()) == [
        {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1"},
        {
            "OPENBLAS_CORETYPE": "Haswell",
            "OPENBLAS_NUM_THREADS": "2",
            "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
        },
    ]
