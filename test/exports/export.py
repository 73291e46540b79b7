"""Graphs as other tools export them, with the rows that they are asked and their makers' own answers.

Usage: export.py FOLDER. Writes NAME.onnx for each graph, and answers.json.
"""
import json
import pathlib
import sys

import lightgbm
import numpy as np
import xgboost
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloats
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]
# Bill length and depth, flipper length (mm), body mass (g): means and deviations by species, roughly the penguins'.
MEANS = [[38.8, 18.3, 190.0, 3700.0], [48.8, 18.4, 196.0, 3733.0], [47.5, 15.0, 217.0, 5076.0]]
DEVIATIONS = [[2.7, 1.2, 6.5, 458.0], [3.3, 1.1, 7.1, 384.0], [3.1, 1.0, 6.5, 504.0]]

random = np.random.default_rng(7)
codes = random.integers(0, 3, 600)
rows = np.array([random.normal(MEANS[code], DEVIATIONS[code]) for code in codes]).astype(np.float32)
species = np.array(SPECIES)[codes]
odd = np.array([10, 30, 20])[codes]
mass = rows[:, 3] / 1000
asked = rows[:32]

folder = pathlib.Path(sys.argv[1])
answers = {"rows": asked.astype(float).tolist(), "classes": SPECIES, "graphs": {}}


def write(name, graph, labels, probabilities, values=None):
    (folder / f"{name}.onnx").write_bytes(graph.SerializeToString())
    answers["graphs"][name] = {
        "labels": None if labels is None else [str(label) for label in labels],
        "probabilities": None if probabilities is None else np.asarray(probabilities, float).tolist(),
        "values": None if values is None else np.asarray(values, float).ravel().tolist(),
    }


def named(graph):
    """The classes of a graph that knows only their numbers, as its metadata_props say them."""
    entry = graph.metadata_props.add()
    entry.key, entry.value = "classes", json.dumps(SPECIES)
    return graph


def classifier(name, model, graph, decode=lambda label: label):
    write(name, graph, [decode(label) for label in model.predict(asked)], model.predict_proba(asked))


columns, tools_columns = [("X", FloatTensorType([None, 4]))], [("X", ToolsFloats([None, 4]))]
pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(rows, species)
classifier("pipeline", pipeline, convert_sklearn(pipeline, initial_types=columns, options={"zipmap": False}))
classifier("pipeline_zipmap", pipeline, convert_sklearn(pipeline, initial_types=columns))
network = make_pipeline(StandardScaler(), MLPClassifier([8], max_iter=2000, random_state=1)).fit(rows, species)
classifier("network", network, convert_sklearn(network, initial_types=columns, options={"zipmap": False}))
numbered = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(rows, odd)
classifier("numbered", numbered, convert_sklearn(numbered, initial_types=columns, options={"zipmap": False}))

boosted = lightgbm.LGBMClassifier(n_estimators=20, verbose=-1, random_state=1).fit(rows, codes)
classifier("lightgbm", boosted, named(convert_lightgbm(boosted, initial_types=tools_columns, zipmap=False)), SPECIES.__getitem__)
classifier("lightgbm_zipmap", boosted, named(convert_lightgbm(boosted, initial_types=tools_columns)), SPECIES.__getitem__)
forest = xgboost.XGBClassifier(n_estimators=20, random_state=1).fit(rows, codes)
classifier("xgboost", forest, named(convert_xgboost(forest, initial_types=tools_columns)), SPECIES.__getitem__)

features = rows.copy()
for name, model, convert, types in [
    ("ridge", Ridge(), convert_sklearn, columns),
    ("lightgbm_regressor", lightgbm.LGBMRegressor(n_estimators=20, verbose=-1, random_state=1), convert_lightgbm, tools_columns),
    ("xgboost_regressor", xgboost.XGBRegressor(n_estimators=20, random_state=1), convert_xgboost, tools_columns),
]:
    model.fit(features, mass)
    write(name, convert(model, initial_types=types), None, None, model.predict(asked))

(folder / "answers.json").write_text(json.dumps(answers))
