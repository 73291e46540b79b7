"""Prediction.predict and describe: any model by its name, numpy in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parley._channel import CallOptions, Channel, Method
from parley._gen import Prediction as Generated
from parley._gen.ttypes import DescribeRequest, PredictRequest, PredictResponse, Provenance, RequestContext, Tensor
from parley._tensors import NAMES, as_array, from_tensor, to_tensor
from parley.contract.columns import is_frame
from parley.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import numpy

_PREDICT = Method(b"Prediction:predict", Generated.predict_result, True, True)
_DESCRIBE = Method(b"Prediction:describe", Generated.describe_result, True, True)


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a model: `data_type` as numpy spells it or "string", `shape` with -1 for any extent."""

    name: str
    data_type: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class ModelInfo:
    """What a model takes and answers, and which version answers now."""

    model: str
    version: str
    model_type: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    contract_service: str | None
    contract_fingerprint: str | None
    type_fields: Mapping[str, str]


class Prediction(Mapping[str, "numpy.ndarray[Any, Any]"]):
    """A model's outputs by name, read-only arrays.

    Attributes:
        provenance: which version answered, prediction_id, and what it cost in microseconds.
    """

    def __init__(self, response: PredictResponse) -> None:
        self.provenance: Provenance = response.provenance or Provenance()
        self._outputs = {tensor.name: from_tensor(tensor) for tensor in response.outputs or ()}

    def __getitem__(self, name: str) -> numpy.ndarray[Any, Any]:
        if name not in self._outputs:
            raise KeyError(f"there is no output {name!r}; the model answers {', '.join(self._outputs)}")
        return self._outputs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    @property
    def prediction_id(self) -> str | None:
        """Names this answer; of several rows, row i is "<prediction_id>/<i>"."""
        identifier: str | None = self.provenance.prediction_id
        return identifier

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}: {array.dtype}{array.shape}" for name, array in self._outputs.items())
        return f"<Prediction of {self.provenance.model}: {shapes}>"


class Predictor:
    """What the client's predict and describe do."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._known: dict[tuple[str, str | None], ModelInfo] = {}

    def predict(
        self,
        model: str,
        inputs: Any,
        reference: str | None,
        routing_key: str | None,
        outputs: Sequence[str] | None,
        options: CallOptions,
    ) -> Prediction:
        """See Client.predict."""
        tensors = self._tensors(model, reference, inputs, options)

        def arguments(context: dict[str, Any]) -> Any:
            return Generated.predict_args(
                request=PredictRequest(
                    context=RequestContext(**context),
                    model=model,
                    reference=reference,
                    routing_key=routing_key,
                    outputs=None if outputs is None else list(outputs),
                    inputs=tensors,
                )
            )

        try:
            return Prediction(self._channel.call(_PREDICT, arguments, options))
        except (InvalidInput, NotFound):
            self._known.pop((model, reference), None)  # what is known of it may be of another version
            raise

    def describe(self, model: str, reference: str | None, options: CallOptions) -> ModelInfo:
        """See Client.describe."""

        def arguments(context: dict[str, Any]) -> Any:
            request = DescribeRequest(context=RequestContext(**context), model=model, reference=reference)
            return Generated.describe_args(request=request)

        said = self._channel.call(_DESCRIBE, arguments, options)
        return ModelInfo(
            model=said.model or model,
            version=said.version or "",
            model_type=said.model_type or "",
            inputs=tuple(_spec(spec) for spec in said.inputs or ()),
            outputs=tuple(_spec(spec) for spec in said.outputs or ()),
            contract_service=said.contract_service,
            contract_fingerprint=said.contract_fingerprint,
            type_fields=said.type_fields or {},
        )

    def _tensors(self, model: str, reference: str | None, inputs: Any, options: CallOptions) -> list[Tensor]:
        """Arrays go as they are; the model is asked once what it takes, and plain values and DataFrames become that."""
        import numpy

        if isinstance(inputs, numpy.ndarray):
            return [to_tensor("", inputs)]
        if isinstance(inputs, Mapping) and all(isinstance(value, numpy.ndarray) for value in inputs.values()):
            return [to_tensor(name, value) for name, value in inputs.items()]
        info = self._known.get((model, reference))
        if info is None:
            info = self._known[(model, reference)] = self.describe(model, reference, options)
        specs = {spec.name: spec for spec in info.inputs}
        if is_frame(inputs):
            inputs = _of_frame(inputs, info.inputs)
        elif not isinstance(inputs, Mapping):
            if len(specs) != 1:
                raise InvalidInput(f"{model} takes {', '.join(specs)}: give a dict of them")
            inputs = {info.inputs[0].name: inputs}
        return [to_tensor(name, _fitting(name, value, specs.get(name))) for name, value in inputs.items()]


def _spec(spec: Any) -> TensorSpec:
    return TensorSpec(spec.name or "", NAMES.get(spec.data_type, "unknown"), tuple(spec.shape or ()))


def _of_frame(frame: Any, specs: tuple[TensorSpec, ...]) -> dict[str, Any]:
    """Its columns by name; the whole as one matrix where the model takes a single one."""
    if len(specs) == 1 and len(specs[0].shape) == 2 and specs[0].name not in frame.columns:
        return {specs[0].name: as_array(specs[0].name, frame.to_numpy(), specs[0].data_type)}
    return {str(name): frame[name] for name in frame.columns}


def _fitting(name: str, value: Any, spec: TensorSpec | None) -> Any:
    import numpy

    if spec is None:
        return numpy.asarray(value)  # the server says which inputs there are
    if isinstance(value, numpy.ndarray) and not _is_object_for(value, spec):
        return value
    if spec.data_type == "string" and hasattr(value, "isna"):
        value = value.astype(object).where(~value.isna(), "")
    array = as_array(name, value, spec.data_type)
    return array.reshape(-1, 1) if array.ndim == 1 and len(spec.shape) == 2 and spec.shape[1] == 1 else array


def _is_object_for(value: Any, spec: TensorSpec) -> bool:
    return value.dtype.kind == "O" and spec.data_type != "string"
