"""scikit-learn's side: cases as JSON on standard input, its figures as JSON on standard output."""

import json
import sys
import warnings

import numpy as np
from sklearn import metrics as sk

warnings.filterwarnings("ignore")


def scores(case, weights):
    truth, predicted, classes = np.array(case["truth"]), np.array(case["predicted"]), case["classes"]
    figures = {"accuracy": sk.accuracy_score(truth, predicted, sample_weight=weights)}
    each = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
    for name, of in each.items():
        common = {"sample_weight": weights, "zero_division": 0}
        for index, figure in enumerate(of(truth, predicted, labels=range(classes), average=None, **common)):
            figures[f"{name}({index})"] = figure
        for average in ("macro", "weighted"):
            figures[f"{name}({average})"] = of(truth, predicted, average=average, **common)
        figures[f"{name}(micro)"] = of(truth, predicted, labels=range(classes), average="micro", **common)
    return figures


def ranking(case, weights):
    truth, classes = np.array(case["truth"]), case["classes"]
    probabilities = np.array(case["probabilities"]).reshape(len(truth), classes)
    support = np.bincount(truth, weights=weights, minlength=classes)
    figures = {}
    for name, of in {"roc_auc": sk.roc_auc_score, "pr_auc": sk.average_precision_score}.items():
        each = {}
        for index in range(classes):
            is_class = truth == index
            if name == "roc_auc" and (is_class.all() or not is_class.any()):
                figures[f"{name}({index})"] = np.nan
                continue
            each[index] = figures[f"{name}({index})"] = of(is_class, probabilities[:, index], sample_weight=weights)
        both = [index for index in each if 0 < support[index] < support.sum()]
        if both:
            figures[f"{name}(macro)"] = np.mean([each[index] for index in both])
            figures[f"{name}(weighted)"] = np.average([each[index] for index in both], weights=support[both])
    if classes > 2 and (support > 0).all():
        for average in ("macro", "weighted"):
            whole = sk.roc_auc_score(truth, probabilities, multi_class="ovr", average=average, sample_weight=weights) \
                if weights is None or average == "macro" else figures[f"roc_auc({average})"]
            figures[f"roc_auc({average})"] = whole
    return figures


def probabilistic(case, weights):
    truth, predicted, classes = np.array(case["truth"]), np.array(case["predicted"]), case["classes"]
    probabilities = np.array(case["probabilities"]).reshape(len(truth), classes)
    labels = list(range(classes))
    figures = {"log_loss": sk.log_loss(truth, probabilities, labels=labels, sample_weight=weights)}
    if classes == 2:
        figures["brier"] = sk.brier_score_loss(truth, probabilities[:, 1], pos_label=1, labels=labels, sample_weight=weights)
    else:
        figures["brier"] = sk.brier_score_loss(truth, probabilities, labels=labels, sample_weight=weights)
    figures["expected_calibration_error"] = calibration(truth, predicted, probabilities, weights)
    return figures


def calibration(truth, predicted, probabilities, weights):
    """scikit-learn has only the curve: the same bins, weighted by their rows."""
    confidence = probabilities.max(axis=1)
    weights = np.ones(len(truth)) if weights is None else np.array(weights)
    bins = np.searchsorted(np.linspace(0, 1, 16)[1:-1], confidence)
    gaps = [abs(np.sum((weights * (confidence - (truth == predicted)))[bins == each])) for each in range(15)]
    return sum(gaps) / weights.sum()


def regression(case, weights):
    truth, predicted = np.array(case["truth"]), np.array(case["predicted"])
    low, high = np.array(case["intervalLow"]), np.array(case["intervalHigh"])
    common = {"sample_weight": weights}
    figures = {
        "rmse": sk.root_mean_squared_error(truth, predicted, **common),
        "mae": sk.mean_absolute_error(truth, predicted, **common),
        "mape": sk.mean_absolute_percentage_error(truth, predicted, **common),
        "r2": sk.r2_score(truth, predicted, **common),
        "interval_coverage": np.average((low <= truth) & (truth <= high), weights=weights),
        "interval_width": np.average(high - low, weights=weights),
    }
    for level in ("0.05", "0.5", "0.9"):
        figures[f"pinball({level})"] = sk.mean_pinball_loss(truth, predicted, alpha=float(level), **common)
    return figures


def figures_of(case):
    weights = case.get("weights")
    if case["task"] == "regression":
        return regression(case, weights)
    figures = scores(case, weights)
    if "probabilities" in case:
        figures |= ranking(case, weights) | probabilistic(case, weights)
    return figures


answers = [{name: float(value) for name, value in figures_of(case).items()} for case in json.load(sys.stdin)]
json.dump(answers, sys.stdout)
