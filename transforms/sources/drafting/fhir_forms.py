"""The questionnaires of a FHIR export: their linkIds, and whose responses they are."""

from __future__ import annotations

from collections.abc import Iterator

from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.json_records import Record, last_part, open_records
from rapport.transforms.sources.structures.fhir_resources import resources

_HEADER = ["client", "questionnaire", "link_id"]


def linked_forms(content: Content) -> tuple[dict[str, list[str]], list[str]]:
    """The linkIds with an answer, by questionnaire; and the clients' numbers of all resources."""
    export = open_records(content, _HEADER, resources, _rows)
    export.need(_HEADER)
    first = next(export.chunks, None)
    links: dict[str, list[str]] = {}
    if first is None:
        return {}, []
    for name, link in first.select("questionnaire", "link_id").drop_nulls("link_id").unique(maintain_order=True).rows():
        links.setdefault((name or "").partition("|")[0].rpartition("/")[2], []).append(link)
    return links, first["client"].drop_nulls().to_list()


def _rows(record: Record) -> Iterator[dict[str, str | None]]:
    if record.get("resourceType") != "QuestionnaireResponse":
        return
    of = record.get("questionnaire")
    name = of.get("reference") if isinstance(of, dict) else of
    subject = record.get("subject")
    client = last_part(subject) if isinstance(subject, dict) else None
    told = {"client": client, "questionnaire": name if isinstance(name, str) else None}
    yield from ({**told, "link_id": link} for link in dict.fromkeys(_links(record.get("item"))))


def _links(items: object) -> Iterator[str]:
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        answers = item.get("answer")
        if answers and isinstance(item.get("linkId"), str):
            yield str(item["linkId"])
        yield from _links(item.get("item"))
        for answer in answers if isinstance(answers, list) else ():
            yield from _links(answer.get("item") if isinstance(answer, dict) else None)
