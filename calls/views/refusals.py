"""How the pages of the agent parse what was sent and say what was refused."""

from typing import Any

from django import forms

from crm.rules.errors import DomainError, Invalid


def sentence_of(refusal: DomainError) -> str:
    """Return what the agent reads: the refusal and what is wrong with each field, each once."""
    details = [str(text) for texts in refusal.fields.values() for text in texts]
    return " ".join(dict.fromkeys(details or [str(refusal.message)]))


def checked(form: forms.Form) -> dict[str, Any]:
    """Return what a form holds, or raise Invalid with its sentences."""
    if not form.is_valid():
        raise Invalid(fields={name: list(errors) for name, errors in form.errors.items()})
    return form.cleaned_data
