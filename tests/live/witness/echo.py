#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An asyncio echo server and fifty clients at once, in one process."""
import asyncio

CLIENTS = 50


async def echo(reader, writer):
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def client(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    message = b"x" * (100 + number * 37)
    writer.write(message)
    writer.write_eof()
    assert await reader.read() == message
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*(client(port, n) for n in range(CLIENTS)))
    server.close()
    await server.wait_closed()


asyncio.run(main())
