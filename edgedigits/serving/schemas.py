"""The shapes of all answers, for the OpenAPI document alone: answers are written without a detour through these."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=0)]
BoundingBox = Annotated[
    list[Pixels], Field(min_length=4, max_length=4, description="x, y, width and height in pixels of the source")
]


class Shape(BaseModel):
    """Nothing is in an answer that its schema does not name."""

    model_config = ConfigDict(extra="forbid")


class Digit(Shape):
    digit: Annotated[int, Field(ge=0, le=9)] | None = Field(description="null where the label is no decimal digit")
    label: str
    confidence: Share = Field(description="calibrated")
    box: BoundingBox
    top: list[Annotated[list[Any], Field(min_length=2, max_length=2)]] = Field(
        description="the most likely labels, each with its confidence, best first"
    )


class Reading(Shape):
    source: str = Field(description="what the sender calls the picture")
    text: str = Field(description="the labels in reading order, a line break between lines; empty where no digit is")
    digits: list[Digit]
    model: str
    engine: str
    device: str
    providers: list[str]
    ms: dict[str, Annotated[float, Field(ge=0)]] = Field(description="milliseconds by stage, and total")
    note: str = Field(default="", description="what the reader has to say about it; left out if nothing")


class Candidate(Shape):
    box: BoundingBox
    framed: str = Field(description="what the network was shown, its pixels row by row in Base64: 784 bytes for 28x28")
    probabilities: list[Share] = Field(description="calibrated, in the order of the model's labels")
    kept: bool = Field(description="whether it was read as a digit")
    why: str = Field(description="why it was not; empty where it was")


class TracedReading(Reading):
    """With ?trace=true."""

    width: Pixels = Field(description="of the upright source")
    height: Pixels
    candidates: list[Candidate] = Field(description="all that may be digits, in reading order")


class Unread(Shape):
    """One of several pictures that could not be read."""

    source: str
    error: str


class Prediction(Shape):
    digit: Annotated[int, Field(ge=0, le=9)] | None
    label: str
    confidence: Share
    probabilities: list[Share] = Field(description="calibrated, in the order of labels")


class Classified(Shape):
    model: str
    engine: str
    device: str
    providers: list[str]
    labels: list[str]
    predictions: list[Prediction]
    ms: dict[str, Annotated[float, Field(ge=0)]]


class Model(Shape):
    name: str
    engine: str
    device: str
    providers: list[str]
    labels: list[str]
    image: list[int] = Field(description="height, width and channels of what the network takes")
    reader: str = Field(description="digits: finds and frames them; plain: resizes the whole picture")
    threshold: Share = Field(description="what is read with less confidence is left out")


class Models(Shape):
    models: list[Model]


class Status(Shape):
    status: str


class ErrorDetail(Shape):
    type: str = Field(description="for programs")
    message: str = Field(description="one line for people")


class Error(Shape):
    error: ErrorDetail
