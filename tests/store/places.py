"""Places for files, looked at from beside the lab: a folder, the memory of fsspec, a server that speaks S3."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KINDS = ("folder", "memory", "s3")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


class Place:
    """One empty place.

    Attributes:
        where: what the lab is told, a folder or a URL.
    """

    def __init__(self, where: Path | str, endpoint: str = "") -> None:
        self.where = where
        self.endpoint = endpoint
        if isinstance(where, str):
            from fsspec.core import url_to_fs

            options = {"endpoint_url": endpoint} if endpoint else {}
            self.fs, self.root = url_to_fs(where, use_listings_cache=False, skip_instance_cache=True, **options)
            self.fs.mkdir(self.container)

    @property
    def container(self) -> str:
        """The bucket."""
        return self.root[: len(self.root) - len("/lab")]

    def found(self) -> dict[str, bytes]:
        """Everything that is there, by path."""
        if isinstance(self.where, Path):
            paths = (path for path in self.where.rglob("*") if path.is_file())
            return {path.relative_to(self.where).as_posix(): path.read_bytes() for path in paths}
        return {path[len(self.root) + 1 :]: self.fs.cat_file(path) for path in self.fs.find(self.root)}

    def replace(self, name: str, content: bytes | None) -> None:
        """Behind the lab's back; ``None`` removes."""
        path: Any = f"{self.where}/{name}" if isinstance(self.where, Path) else f"{self.root}/{name}"
        if isinstance(self.where, Path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content) if content is not None else Path(path).unlink()
        elif content is None:
            self.fs.rm_file(path)
        else:
            self.fs.pipe_file(path, content)

    def vanish(self) -> None:
        """The bucket is deleted with what it holds."""
        self.fs.rm(self.container, recursive=True)


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server that speaks S3, in this process."""
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        yield "http://{}:{}".format(*running.get_host_and_port())
    finally:
        running.stop()


def place(kind: str, tmp_path: Path, endpoint: str) -> Place:
    """A new one of a kind; S3's needs CREDENTIALS in the environment."""
    if kind == "folder":
        return Place(tmp_path / "home" / "blobs")
    name = f"bucket-{uuid.uuid4().hex}"
    return Place(f"{kind}://{name}/lab", endpoint)
