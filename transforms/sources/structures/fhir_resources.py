"""One FHIR resource as rows of text, whichever release wrote it."""

from __future__ import annotations

from collections.abc import Iterator

from rapport.transforms.sources.opening.json_records import Record, last_part, text
from rapport.transforms.sources.opening.shape import MARK
from rapport.warehouse.errors import Refused

COLUMNS = [
    *("resource", "status", "reason", "appointment_id", "client_id", "therapist_id", "starts_at", "ends_at"),
    *("duration_minutes", "service", "of_appointment", "birth_date", "sex"),
    *("response_id", "questionnaire", "authored", "encounter", "finished"),
]
CODE = f"{MARK}code "  # before an item: the code of a choice that also says what it counts
UNBOOKED = ("proposed", "pending", "waitlist")
DECLINED = "declined"  # of a participant: they do not come, whatever becomes of the appointment
SETTLED = ("cancelled", "noshow", "entered-in-error")
# Of a response (https://hl7.org/fhir/R5/valueset-questionnaire-answers-status.html); another word is unknown.
_FINISHED = {"completed": "yes", "amended": "yes", "in-progress": "no", "stopped": "no", "entered-in-error": "no"}
_ORDINAL = ("ordinalValue", "itemWeight", "iso21090-CO-value")  # extensions that say what a choice counts
_LOG = ("exportId", "eventId")  # of a bulk export's log
# What else a Bundle and an entry of it may have (https://hl7.org/fhir/R5/bundle.html, and STU3's fhir_comments).
_OF_BUNDLE = {"resourceType", "id", "meta", "implicitRules", "language", "identifier", "type", "timestamp", "total"}
_OF_BUNDLE |= {"link", "signature", "issues", "fhir_comments"}
_OF_ENTRY = {"id", "extension", "modifierExtension", "link", "fullUrl", "search", "request", "response"}
_OF_ENTRY |= {"fhir_comments"}


def resources(value: object) -> Iterator[Record]:
    """The resources of a file's value: itself, an array's, or a Bundle's. Raises Refused for what is none."""
    if isinstance(value, list):
        for each in value:
            yield from resources(each)
    elif isinstance(value, dict) and value.get("resourceType") == "Bundle":
        for entry in _list(value["entry"]) if _has(value, "entry", _OF_BUNDLE) else ():
            if isinstance(entry, dict) and _has(entry, "resource", _OF_ENTRY):
                yield from resources(entry["resource"])
    elif isinstance(value, dict) and value.get("resourceType") == "OperationOutcome":
        raise Refused("is an error that the FHIR server returned (OperationOutcome); export it again")
    elif isinstance(value, dict) and ("resourceType" in value or any(name in value for name in _LOG)):
        yield value
    else:
        raise Refused("is JSON without FHIR resources (resourceType); correct its format in clinic.toml")


def _has(whole: Record, name: str, others: set[str]) -> bool:
    """Whether an optional part is there. Raises Refused where it is missing and an unknown part is in its place: its
    name is damaged, and its content would be lost in silence.
    """
    if name not in whole and any(not each.startswith("_") and each not in others for each in whole):
        raise Refused(f"has a FHIR Bundle without '{name}' where something unknown stands; export it again")
    return name in whole


def rows_of(resource: Record, items: list[str]) -> Iterator[dict[str, str | None]]:
    """The rows of a resource, COLUMNS behind MARK, and a response's answers by linkId. None for a resource that nothing
    in clinic.toml uses.
    """
    kind = resource.get("resourceType")
    made = {
        "Appointment": _appointment,
        "Encounter": _encounter,
        "Patient": _patient,
        "QuestionnaireResponse": _response,
    }.get(kind if isinstance(kind, str) else "")
    answers: dict[str, str | None] = {}
    if made is _response:
        _gather(resource.get("item"), set(items), answers)
    for row in made(resource) if made else ():
        told = {"resource": text(kind), "status": text(resource.get("status")), **row}
        yield {**{MARK + name: value for name, value in told.items()}, **answers}


def _appointment(resource: Record) -> Iterator[dict[str, str | None]]:
    """A row for each patient. A wish without a time is no appointment yet."""
    if not resource.get("start") and resource.get("status") in UNBOOKED:
        return
    taking_part = _dicts(resource.get("participant"))
    actors = [_typed(each.get("actor"), resource) for each in taking_part]
    coming = [actor for actor, each in zip(actors, taking_part, strict=True) if each.get("status") != DECLINED]
    subject = _typed(resource.get("subject"), resource)
    patients = [last_part(each) for each in [*actors, subject] if _is(each, "Patient")]
    invited = {last_part(each) for each in actors if _is(each, "Patient")}
    attending = {last_part(each) for each in coming if _is(each, "Patient")}
    for patient in dict.fromkeys(patients or [None]):
        has_declined = patient in invited - attending and resource.get("status") not in SETTLED
        yield {
            **({"status": DECLINED} if has_declined else {}),
            "reason": _code(resource.get("cancelationReason") or resource.get("cancellationReason")),
            "appointment_id": text(resource.get("id")),
            "client_id": patient,
            "therapist_id": next((last_part(each) for each in coming if _is(each, "Practitioner")), None),
            "starts_at": text(resource.get("start")),
            "ends_at": text(resource.get("end")),
            "duration_minutes": text(resource.get("minutesDuration")),
            "service": _named(resource.get("serviceType")),
        }


def _encounter(resource: Record) -> Iterator[dict[str, str | None]]:
    period = _dict(resource.get("period") or resource.get("actualPeriod"))
    taking_part = _dicts(resource.get("participant"))
    people = [_typed(each.get("individual") or each.get("actor"), resource) for each in taking_part]
    booked = resource.get("appointment")
    yield {
        "appointment_id": text(resource.get("id")),
        "client_id": last_part(_dict(resource.get("subject") or resource.get("patient"))),
        "therapist_id": next((last_part(each) for each in people if _is(each, "Practitioner")), None),
        "starts_at": text(period.get("start")),
        "ends_at": text(period.get("end")),
        "service": _named(resource.get("type")),
        "of_appointment": last_part(next(iter(_dicts(booked if isinstance(booked, list) else [booked])), None)),
    }


def _patient(resource: Record) -> Iterator[dict[str, str | None]]:
    sex = text(resource.get("gender"))
    birth = text(resource.get("birthDate"))
    yield {
        "client_id": text(resource.get("id")),
        "birth_date": birth if birth and len(birth) == len("2000-01-01") else None,
        "sex": None if sex == "unknown" else sex,
    }


def _response(resource: Record) -> Iterator[dict[str, str | None]]:
    asked = resource.get("questionnaire")
    asked = last_part(asked) if isinstance(asked, dict) else text(asked)
    yield {
        "response_id": text(resource.get("id")),
        "client_id": last_part(_dict(resource.get("subject"))),
        "questionnaire": asked.partition("|")[0] if asked else None,
        "authored": text(resource.get("authored")),
        "encounter": last_part(_dict(resource.get("encounter") or resource.get("context"))),
        "finished": _FINISHED.get(status, status) if (status := text(resource.get("status"))) else None,
    }


def _gather(items: object, wanted: set[str], found: dict[str, str | None]) -> None:
    """The answers of the wanted items at any depth. A linkId may be a LOINC code with a slash before it."""
    for item in _dicts(items):
        link = text(item.get("linkId")) or ""
        answers = _dicts(item.get("answer"))
        for name in {link, link.rpartition("/")[2]} & wanted:
            values = [value for answer in answers if (value := _value(answer)) is not None]
            if values:
                found[name] = values[0] if len(values) == 1 else "; ".join(values)
                found[CODE + name] = _coded(answers[0]) if len(answers) == 1 else None
        _gather(item.get("item"), wanted, found)
        for answer in answers:
            _gather(answer.get("item"), wanted, found)


def _value(answer: Record) -> str | None:
    """An answer of any type as text; of a choice its points where they are known, else its code."""
    key = next((key for key in answer if key.startswith("value")), None)
    value = answer.get(key) if key else None
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, dict):
        return text(value)
    if key == "valueCoding":
        return _weight(value) or _weight(answer) or text(value.get("code")) or text(value.get("display"))
    return text(value.get("value")) or text(value.get("reference")) or text(value.get("url"))


def _coded(answer: Record) -> str | None:
    """The code of a choice that has points too."""
    coding = _dict(answer.get("valueCoding"))
    return text(coding.get("code")) if _weight(coding) or _weight(answer) else None


def _weight(of: Record) -> str | None:
    for extension in _dicts(of.get("extension")):
        if str(extension.get("url", "")).endswith(_ORDINAL):
            return text(extension.get("valueDecimal")) or text(extension.get("valueInteger"))
    return None


def _is(reference: Record, kind: str) -> bool:
    """Whether a reference names a resource of this kind. A PractitionerRole counts as a practitioner."""
    told = str(reference.get("reference", ""))
    named = told.rpartition("?")[0] if "?" in told else told.rpartition("/")[0]
    return named.rpartition("/")[2].startswith(kind) or str(reference.get("type", "")).startswith(kind)


def _typed(reference: object, resource: Record) -> Record:
    """A reference; one to a part of its own document (#p) with the type of that part."""
    told = _dict(reference)
    parts = {f"#{each.get('id')}": each.get("resourceType") for each in _dicts(resource.get("contained"))}
    kind = parts.get(str(told.get("reference")))
    return {"type": kind, **told} if kind else told


def _code(concept: object) -> str | None:
    return next((text(each.get("code")) for each in _dicts(_dict(concept).get("coding"))), None)


def _named(concepts: object) -> str | None:
    """What the first of several concepts is called."""
    first = next(iter(_dicts(concepts if isinstance(concepts, list) else [concepts])), {})
    first = _dict(first.get("concept")) or first
    coding = next(iter(_dicts(first.get("coding"))), {})
    return text(first.get("text")) or text(coding.get("display")) or text(coding.get("code"))


def _dict(value: object) -> Record:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dicts(value: object) -> list[Record]:
    return [each for each in _list(value) if isinstance(each, dict)]
