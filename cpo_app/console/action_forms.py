"""The form of an action, out of its declaration: its words, its fields, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic.fields import ModelField

from cpo_app.actions.catalog import named
from cpo_app.console.words import segment
from domain.operators.actor import current_actor


@dataclass(frozen=True)
class Input:
    """`kind`: text, secret, area, yes, choice or choices."""

    name: str
    label: str
    kind: str
    required: bool = False
    value: str = ""
    choices: Sequence[str] = ()
    chosen: Sequence[str] = ()
    max_length: int | None = None


@dataclass(frozen=True)
class ActionForm:
    name: str
    title: str
    meaning: str
    path: str
    danger: bool
    hidden: Mapping[str, str]
    inputs: Sequence[Input]


def form_of(
    name: str, fixed: Mapping[str, object], values: Mapping[str, object]
) -> ActionForm | None:
    """`fixed`: what the page knows already; `values`: what stands in a field at first. None: it is
    not for whoever looks at the page."""
    action = named(name)
    assert action is not None, name  # noqa: S101 (a page's own word; a test visits every page)
    if not current_actor().may(action.needs):
        return None
    path, hidden = action.path, {}
    for key, value in fixed.items():
        text = _text(value)
        if f"{{{key}}}" in path:
            path = path.replace(f"{{{key}}}", segment(text))
        else:
            hidden[key] = text
    inputs = [
        _input(field, values.get(field.alias))
        for field in action.parameters.__fields__.values()
        if field.alias not in fixed
    ]
    return ActionForm(
        name=action.name,
        title=action.title,
        meaning=action.meaning,
        path=f"/console{path}",
        danger=action.danger,
        hidden=hidden,
        inputs=inputs,
    )


def _input(field: ModelField, value: object) -> Input:
    info = field.field_info
    label = info.title or field.alias
    if value is None:  # a form that is sent as it stands does what is usual
        value = field.default
    choices = [str(one) for one in info.extra.get("enum", ())]
    several = field.shape != 1  # pydantic.fields.SHAPE_SINGLETON
    if choices:
        kind = "choices" if several else "choice"
        words = value.split() if isinstance(value, str) else value  # as a form sends them
        chosen = [str(one) for one in words] if isinstance(words, (list, tuple)) else []
        if value is not None and not several:
            chosen = [str(value)]
        return Input(field.alias, label, kind, choices=choices, chosen=chosen)
    if field.outer_type_ is bool:
        return Input(field.alias, label, "yes", value="checked" if value in (True, "true") else "")
    long = info.max_length is not None and info.max_length > 1000
    kind = "area" if long or _is_json(field) else "text"
    if info.extra.get("format") == "password":
        kind = "secret"
    return Input(
        field.alias,
        label,
        kind,
        required=bool(field.required),
        value=_text(value) if value is not None else "",
        max_length=info.max_length,
    )


def _is_json(field: ModelField) -> bool:
    said = f"{field.outer_type_} {field.type_}"
    return "Dict" in said or "dict" in said


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
