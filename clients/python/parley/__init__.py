"""Client of Parley model servers.

with parley.connect("127.0.0.1:9090") as client:
    answer = client.penguins.identify(bill_length_mm=39.1, bill_depth_mm=18.7, flipper_length_mm=181, body_mass_g=3750)
    print(answer.species, answer.confidence)
"""

from parley._channel import CallOptions
from parley._deadline import deadline
from parley._predict import ModelInfo, Prediction, TensorSpec
from parley._stub import Stub
from parley.client import Client, connect
from parley.contract import ContractService
from parley.errors import (
    ClientClosed,
    Conflict,
    ContractMismatch,
    DeadlineExceeded,
    Internal,
    InvalidInput,
    ModelBroken,
    NotAccepted,
    NotFound,
    Overloaded,
    ParleyError,
    PermissionDenied,
    Problem,
    ShuttingDown,
    StoreUnavailable,
    Unauthenticated,
    Unreachable,
    Unsupported,
)

__version__ = "0.1.0"

__all__ = [
    "CallOptions",
    "Client",
    "ClientClosed",
    "Conflict",
    "ContractMismatch",
    "ContractService",
    "DeadlineExceeded",
    "Internal",
    "InvalidInput",
    "ModelBroken",
    "ModelInfo",
    "NotAccepted",
    "NotFound",
    "Overloaded",
    "ParleyError",
    "PermissionDenied",
    "Prediction",
    "Problem",
    "ShuttingDown",
    "StoreUnavailable",
    "Stub",
    "TensorSpec",
    "Unauthenticated",
    "Unreachable",
    "Unsupported",
    "__version__",
    "connect",
    "deadline",
]
