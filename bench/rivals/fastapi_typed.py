"""The penguins' service as people write it with FastAPI and pydantic: checked JSON in, checked JSON out, the same graph."""
import uuid
from typing import Literal

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, Field

from session import session

CLASSES = ["Adelie", "Chinstrap", "Gentoo"]
inputs = session.get_inputs()
outputs = [output.name for output in session.get_outputs()]


class Penguin(BaseModel):
    bill_length_mm: float = Field(ge=20, le=80)
    bill_depth_mm: float = Field(ge=10, le=30)
    flipper_length_mm: float = Field(ge=150, le=250)
    body_mass_g: float = Field(ge=2000, le=7000)
    island: Literal["Biscoe", "Dream", "Torgersen"]
    sex: Literal["MALE", "FEMALE"] | None = None


class Provenance(BaseModel):
    prediction_id: str
    model: str


class Identified(BaseModel):
    species: str
    confidence: float
    probability: dict[str, float]
    provenance: Provenance


app = FastAPI()


@app.post("/identify")
async def identify(penguin: Penguin) -> Identified:
    row = penguin.model_dump()
    feeds = {}
    for field in inputs:
        value = row[field.name]
        if field.type == "tensor(string)":
            feeds[field.name] = np.array([["" if value is None else value]], dtype=object)
        else:
            feeds[field.name] = np.array([[value]], dtype=np.float64)
    answers = dict(zip(outputs, session.run(outputs, feeds)))
    probabilities = answers["probabilities"][0]
    best = int(probabilities.argmax())
    return Identified(
        species=CLASSES[best],
        confidence=float(probabilities[best]),
        probability={name: float(each) for name, each in zip(CLASSES, probabilities)},
        provenance=Provenance(prediction_id=uuid.uuid4().hex, model="penguins"),
    )
