"""A formula that is off by one part in 10⁴ fails its tests: one formula of each schema.

``python -m mutants`` tries every formula, and the Python texts too.
"""

import mutants
import pytest

pytestmark = pytest.mark.xdist_group("mutants")  # what it builds is built once

ONE_PER_SCHEMA = {schema: name for name, schema in reversed(mutants.FORMULAS.items())}.values()


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return mutants.build(tmp_path_factory.mktemp("mutants"))


@pytest.mark.full
@pytest.mark.parametrize("formula", ONE_PER_SCHEMA)
def test_mutants_are_caught(formula, package):
    assert mutants.failure(package, "native", formula) is None
    for output in mutants.outputs_of(formula):
        assert mutants.failure(package, "native", formula, output), output
