"""Where a server is, and how it is trusted."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Union

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Address:
    """A server's host and port; with a TLS context where it speaks TLS."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, tls: ssl.SSLContext | None = None) -> Address:
    """Reads "host:port" or "[::1]:port".

    Raises:
        ValueError: it is neither.
    """
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    is_port = port.isascii() and port.isdigit() and 0 < int(port) < 65_536
    if not colon or not bare or not is_port or (":" in bare and bare == host):
        raise ValueError(f'"{text}" is not an address; write host:port, such as "127.0.0.1:9090" or "[::1]:9090"')
    return Address(bare, int(port), tls)


def tls_context(
    tls: bool | ssl.SSLContext | None,
    ca: PathLike | None,
    cert: PathLike | None,
    key: PathLike | None,
) -> ssl.SSLContext | None:
    """The context that the options ask for; None: no TLS.

    Raises:
        ValueError: options that contradict each other.
        OSError: a file cannot be read, or is no PEM (ssl.SSLError).
    """
    if isinstance(tls, ssl.SSLContext):
        if ca or cert or key:
            raise ValueError("tls= is a context already; load ca, cert and key into it")
        return tls
    if tls is False and (ca or cert or key):
        raise ValueError("tls=False, and yet a ca, cert or key")
    if not (tls or ca or cert or key):
        return None
    if (cert is None) and (key is not None):
        raise ValueError("key= needs cert= beside it")
    context = ssl.create_default_context(cafile=None if ca is None else os.fspath(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert is not None:
        context.load_cert_chain(os.fspath(cert), None if key is None else os.fspath(key))
    return context
