"""What names mean: raw tag -> role, config key -> setting; says what it could not place."""

from gandoctor.lexicon.book import Vocabulary
from gandoctor.lexicon.reading import load
from gandoctor.model.roles import Role
from gandoctor.vocabulary.axis import step_unit
from gandoctor.vocabulary.placing import Placement, place, place_names
from gandoctor.vocabulary.settling import facts, settle

__all__ = [
    "Placement",
    "Role",
    "Vocabulary",
    "facts",
    "load",
    "place",
    "place_names",
    "settle",
    "step_unit",
]
