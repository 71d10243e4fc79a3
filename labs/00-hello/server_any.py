# SPDX-License-Identifier: MIT
"""server_any.c in Python: python3 server_any.py [PORT]"""
import signal
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 65430


def stop(number, frame):
    """Ctrl-C and SIGTERM end the loop below the same way."""
    raise KeyboardInterrupt


signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)

# socket(), SO_REUSEADDR, IPV6_V6ONLY off, bind() and listen() in one call.
try:
    server = socket.create_server(
        ("", port), family=socket.AF_INET6, dualstack_ipv6=True)
except OSError as error:
    sys.exit(f"server_any.py: bind to [::] port {port}: {error.strerror}")

with server:
    try:
        print(f"listening on [::] port {port}", flush=True)
        while True:
            conn, address = server.accept()
            with conn:
                data = conn.recv(1024)
                if data:
                    print("received:", data.decode(), flush=True)
                    conn.sendall(b"Hello, Client!")
    except KeyboardInterrupt:
        pass
