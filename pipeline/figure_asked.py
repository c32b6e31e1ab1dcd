"""What a person names at the command line: a unit, a measure, an office. UserError when there is no such thing."""

from __future__ import annotations

from collectors.exports.persons import tells_of_a_person
from config.measures import Measure, load_measures
from config.models import Config, Unit
from config.problems import unknown
from pipeline.problems import UserError


def unit_of(config: Config, slug: str) -> Unit:
    unit = config.units.get(slug)
    if unit is None:
        wrong, right = unknown(slug, list(config.units), "đơn vị")
        raise UserError(f"{_capital(wrong)}. Cách sửa: {right}.")
    return unit


def measure_of(slug: str) -> Measure:
    """The sentence of its UserError lists every code: it is where people look them up."""
    rule = load_measures().get(slug)
    if rule is None:
        wrong, _ = unknown(slug, list(load_measures()), "số liệu")
        raise UserError(f"{_capital(wrong)}. Đề nghị dùng một trong: {', '.join(load_measures())}.")
    return rule


def office_of(by: str) -> str:
    """The name of an office; whatever looks like a person is refused."""
    if not by.strip():
        raise UserError('Chưa ghi bộ phận. Viết như --by "Ban Tuyên giáo".')
    if tells_of_a_person(by):
        raise UserError("--by giống thông tin của một cá nhân. Đề nghị chỉ ghi tên bộ phận, như «Ban Tuyên giáo».")
    return by.strip()


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
