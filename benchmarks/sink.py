"""A mail server that only answers and counts: ``python -m benchmarks.sink PORT``.

Two verbs of its own tell what came.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import free_port, running, wait_for_port


class Sink:
    """All connections of the process; each recipient with the moment of its first mail on the
    machine's monotonic clock."""

    def __init__(self) -> None:
        self.mails = 0
        self.arrived: dict[str, float] = {}
        self.more = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        recipient = ""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while line := (await reader.readuntil(b"\r\n")).decode("ascii", "replace").strip():
                verb = line[:4].upper()
                if verb == "RCPT":
                    recipient = line.partition("<")[2].partition(">")[0]
                if verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    await self._take(recipient)
                writer.write(await self._answer(verb, line))
                if verb == "QUIT":
                    break
        writer.close()

    async def _take(self, recipient: str) -> None:
        self.mails += 1
        self.arrived.setdefault(recipient, time.monotonic())
        async with self.more:
            self.more.notify_all()

    async def _answer(self, verb: str, line: str) -> bytes:
        if verb == "XCNT":
            return f"250 {self.mails} {len(self.arrived)}\r\n".encode()
        if verb == "XWHN":
            address = line[5:]
            async with self.more:
                await self.more.wait_for(lambda: address in self.arrived)
            return f"250 {self.arrived[address]!r}\r\n".encode()
        return b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n"


class SinkClient:
    """Asks a running sink what came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._smtp = smtplib.SMTP("127.0.0.1", port, timeout=30)

    def counts(self) -> tuple[int, int]:
        """Mails, and different recipients among them."""
        mails, recipients = self._smtp.docmd("XCNT")[1].split()
        return int(mails), int(recipients)

    def arrival(self, address: str) -> float:
        """Wait for the first mail to this address; when it came, on the monotonic clock."""
        code, said = self._smtp.docmd("XWHN", address)
        if code != 250:
            raise RuntimeError(f"the sink said {code} {said!r}")
        return float(said)

    def close(self) -> None:
        self._smtp.close()


@contextlib.contextmanager
def running_sink(folder: Path) -> Iterator[SinkClient]:
    port = free_port()
    with running(["-m", "benchmarks.sink", str(port)], folder) as process:
        wait_for_port(process, port, folder)
        client = SinkClient(port)
        try:
            yield client
        finally:
            client.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(Sink().serve, "127.0.0.1", port, limit=64 * 1024 * 1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(int(sys.argv[1])))
