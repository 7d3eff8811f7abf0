"""What descriptions of routes are made of: answers, problems, parameters."""

from collections.abc import Iterable
from typing import Any

from api.lag import LAG
from api.problems import EXPLANATIONS, MEDIA_TYPE, Mishap
from api.reading_after import AFTER, POSITION
from schemas.refusals import Refusal

REF = "#/components/schemas/"
KNOWN = {  # headers of an answer from what was read
    LAG: "How many records on the topics this answer does not know of yet; `unknown` while Kafka "
    "is away.",
}
DECIDED = {  # headers of an answer with a result
    "Idempotent-Replayed": "`true` where the request was answered before.",
    POSITION: f"Where the result stands: send it as {AFTER} to read after it.",
}


def body(
    *schemas: str, media_type: str = "application/json", examples: Iterable[str] = ()
) -> dict[str, Any]:
    """Describe a body of one of these schemas; its examples are named as they are."""
    shapes = [{"$ref": REF + schema} for schema in schemas]
    names = list(examples) or schemas
    return {
        media_type: {
            "schema": shapes[0] if len(shapes) == 1 else {"oneOf": shapes},
            "examples": {name: {"$ref": f"#/components/examples/{name}"} for name in names},
        }
    }


def answer(description: str, content: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Describe an answer and its headers, in whose names `_` stands for a hyphen."""
    return {
        "description": description,
        "content": content,
        "headers": {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        },
    }


def problem(description: str, *codes: str, **headers: str) -> dict[str, Any]:
    """Describe a problem that has one of these codes and no other."""
    content = body("Problem", media_type=MEDIA_TYPE, examples=codes)
    one_of_these = {"type": "object", "properties": {"code": {"enum": [*codes]}}}
    content[MEDIA_TYPE]["schema"] = {"allOf": [{"$ref": REF + "Problem"}, one_of_these]}
    return answer(description, content, **headers)


def refusal(description: str, status: int, *others: str) -> dict[str, Any]:
    """Describe a problem by any refusal that has this status, or by another code."""
    codes = [code for code in Refusal if EXPLANATIONS[code].status == status]
    return problem(description, *codes, *others, **DECIDED)


def parameter(
    name: str, place: str, description: str, *, required: bool = False, example: str | None = None
) -> dict[str, Any]:
    """Describe a parameter that is a text."""
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": {"type": "string"},
        **({} if example is None else {"example": example}),
    }


READ_AFTER = parameter(
    AFTER,
    "header",
    f"The {POSITION} of an earlier answer: this one then knows of it, or is a 503.",
    example="0-1042",
)
BAD_PARAMETERS = problem(
    f"Bad parameters, or a bad {AFTER}; what is bad is named in `errors`.", Mishap.BAD_REQUEST
)
NOT_YET = problem(
    "The topics have not been read that far.", Mishap.SERVICE_UNAVAILABLE, Retry_After="Seconds."
)
UNSURE = problem(
    "The topics have not been read that far.",
    Mishap.SERVICE_UNAVAILABLE,
    Retry_After="Seconds.",
    **KNOWN,
)
