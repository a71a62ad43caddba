"""One process of a served lab: ``python -m lab39.web.process web|jobs|head``, started by the supervisor.

Each reads its settings from the environment, writes its logs to standard output, ends in order on SIGTERM, and ends
too when its supervisor is gone, however that died.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from lab39.settings import Settings
from lab39.web import logs

if TYPE_CHECKING:
    from fastapi import FastAPI

    from lab39.store import Store

GRACE_SECONDS = 20
"""What requests on their way are given to end."""
HEAD_EVERY_SECONDS = 900.0


def main(arguments: list[str] | None = None) -> int:
    """Run one process until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m lab39.web.process")
    parser.add_argument("role", choices=["web", "jobs", "head"])
    parser.add_argument("--listen", type=int, default=-1, help="file descriptor of the socket that listens")
    parser.add_argument("--parent", type=int, default=-1, help="file descriptor that closes with the supervisor")
    parser.add_argument("--text-logs", action="store_true")
    parser.add_argument("--reload", action="store_true")
    options = parser.parse_args(arguments)
    logs.configure(as_json=not options.text_logs)
    if options.parent >= 0:
        threading.Thread(target=_end_with, args=(options.parent,), name="lab39-parent", daemon=True).start()
    if options.role == "web":
        serve(options.listen, reload=options.reload)
    elif options.role == "jobs":
        work()
    else:
        sign_once()
    return 0


def application() -> FastAPI:
    """The application of the settings in the environment."""
    from lab39.web.app import create_app

    logs.configure(as_json=not os.environ.get("LAB39_TEXT_LOGS"))
    return create_app()


def serve(listen: int, *, reload: bool = False) -> None:
    """Answer the requests that come to a socket."""
    import uvicorn

    proxies = Settings.from_env().proxies
    common = {
        "factory": True,
        "http": "h11",  # httptools, taken when it happens to be installed, reads headers without end
        "log_config": None,
        "access_log": False,  # it would hold addresses and query strings; logs.Observed writes a line a request
        "server_header": False,
        "ws": "none",
        "proxy_headers": bool(proxies),
        "forwarded_allow_ips": list(proxies),
        "timeout_graceful_shutdown": GRACE_SECONDS,
    }
    if reload:
        from pathlib import Path

        folder = str(Path(__file__).parents[1])
        uvicorn.run("lab39.web.process:application", fd=listen, reload=True, reload_dirs=[folder], **common)  # type: ignore[arg-type]
        return
    config = uvicorn.Config(application, **common)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    server.run(sockets=[socket.socket(fileno=listen)])
    if not server.started:
        sys.exit(uvicorn.config.STARTUP_FAILURE)


def work() -> None:
    """Run jobs, and sign a head of the audit log from time to time."""
    from lab39.store import Store
    from lab39.store.worker import Worker

    settings = Settings.from_env()
    store = Store.of(settings)
    worker = Worker(store, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    done = threading.Event()
    signing = threading.Thread(target=_sign, args=(store, settings, done), name="lab39-heads", daemon=True)
    signing.start()
    try:
        worker.run()
    finally:
        done.set()
        signing.join(timeout=GRACE_SECONDS)
        store.close()


def sign_once() -> None:
    """Sign what happened until the end: the last process of a lab, when nobody writes any more."""
    from lab39.store import Store

    settings = Settings.from_env()
    store = Store.of(settings)
    sign_head(store, settings)
    store.close()


def sign_head(store: Store, settings: Settings) -> None:
    """Export a signed head when the audit log has grown; an error is logged, and told by ``lab39 audit verify``."""
    from lab39.core.errors import LabError
    from lab39.store.audit import heads

    try:
        signed = heads.sign(store, settings)
    except LabError as error:
        logs.log.error("audit head not signed", why=error.say("en"))
    except Exception as error:
        logs.log.error("audit head not signed", **logs.told(error))
    else:
        if signed.new:
            logs.log.info("audit head signed", entries=signed.head.size, head=signed.head.digest)


def _sign(store: Store, settings: Settings, done: threading.Event) -> None:
    sign_head(store, settings)
    while not done.wait(HEAD_EVERY_SECONDS):
        sign_head(store, settings)


def _end_with(parent: int) -> None:
    """The supervisor holds the other end and never writes: this returns when it is gone."""
    os.read(parent, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
