"""number, int and boolean: strict JSON types, at most 4 decimals, nothing that is no JSON."""

from __future__ import annotations

import json
import math
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schemas import Connector, Price, SchemaError, Token, validate
from tests.domain.schemas import samples


def on_the_wire(value: object) -> object:
    return validate(Price, {"excl_vat": value})["excl_vat"]


@pytest.mark.parametrize(
    ("given_number", "sent"),
    [
        (0.1 + 0.2, 0.3),
        (1.00005, 1.0001),
        (-1.00005, -1.0001),
        (2.67565, 2.6757),
        (0.00004, 0.0),
        (1e300, 1e300),
        (Decimal("0.30005"), 0.3001),
    ],
)
def test_a_number_is_rounded_half_up_to_four_decimals(given_number: object, sent: float) -> None:
    assert on_the_wire(given_number) == sent


def test_an_integer_stays_an_integer_and_zero_has_no_sign() -> None:
    assert json.dumps([on_the_wire(5), on_the_wire(5.0), on_the_wire(-0.0)]) == "[5, 5.0, 0.0]"
    assert json.dumps(on_the_wire(-0.00001)) == "0.0"


@pytest.mark.parametrize(
    "wrong",
    ["12", "", True, False, math.nan, math.inf, -math.inf, 1e999, 2**63, -(2**63) - 1, [1], {}],
)
def test_what_is_no_json_number_is_refused(wrong: object) -> None:
    with pytest.raises(SchemaError) as refused:
        on_the_wire(wrong)
    assert [path for path, _ in refused.value.errors] == ["excl_vat"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float_comes_out_as_python_prints_it_rounded(value: float) -> None:
    sent = on_the_wire(value)
    assert isinstance(sent, float)
    if abs(value) < 1e15:
        exact = Decimal(repr(value)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
        assert sent == float(exact)
    else:
        assert sent == value
    assert on_the_wire(sent) == sent
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_stored_integer_comes_out_as_it_is(value: int) -> None:
    sent = on_the_wire(value)
    assert sent == value
    assert type(sent) is int


@given(st.decimals(min_value=-10000, max_value=10000, places=4))
def test_four_decimals_are_never_changed(value: Decimal) -> None:
    assert Decimal(repr(on_the_wire(float(value)))) == value


@pytest.mark.parametrize("wrong", ["230", 230.9, 230.0, True, None, 2**63])
def test_an_int_is_not_coerced(wrong: object) -> None:
    with pytest.raises(SchemaError) as refused:
        validate(Connector, samples.connector(max_voltage=wrong))
    assert [path for path, _ in refused.value.errors] == ["max_voltage"]


@pytest.mark.parametrize("wrong", ["yes", "true", 1, 0, 1.0, "", []])
def test_a_boolean_is_not_coerced(wrong: object) -> None:
    with pytest.raises(SchemaError) as refused:
        validate(Token, samples.token(valid=wrong))
    assert refused.value.errors == [("valid", "value is not a boolean")]
