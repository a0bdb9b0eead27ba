"""An eMSP's answer about a card that only later versions have a word for."""

from __future__ import annotations

import pytest

from domain.authorization.authorization_answer import Question, answer_of
from domain.schemas import SchemaError
from tests.domain.schemas import samples

TRUCK = Question("DE-TNM-C1", "EMAID", "LOC1", "Evse-1", "BE", "BEC")


def test_the_contract_that_a_vehicle_names_is_a_token_like_others() -> None:
    token = samples.token(uid="DE-TNM-C1", type="EMAID")
    answer = answer_of({"allowed": "ALLOWED", "token": token}, TRUCK)
    assert (answer.allowed, answer.token) == ("ALLOWED", token)


def test_a_card_of_another_type_is_not_the_one_that_was_asked_for() -> None:
    token = samples.token(uid="DE-TNM-C1", type="SOMETHING_ELSE")
    with pytest.raises(SchemaError, match="is not the one that was asked for"):
        answer_of({"allowed": "ALLOWED", "token": token}, TRUCK)
