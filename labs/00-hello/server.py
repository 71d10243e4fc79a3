# SPDX-License-Identifier: MIT
"""server.c in Python, call by call: python3 server.py [PORT]"""
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 65430

# A descriptor: no address yet, no peer.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# Lets bind pass while an old connection rests in TIME_WAIT.
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
# Takes address and port. AF_INET: 127.0.0.1 alone, never ::1.
try:
    listener.bind(("localhost", port))
except OSError as error:
    sys.exit(f"server.py: bind to localhost port {port}: {error.strerror}")
# From here on the kernel completes connections and queues them.
listener.listen()
print(f"listening on 127.0.0.1 port {port}", flush=True)

# Takes one connection out of the queue: a new socket, the same port.
conn, address = listener.accept()
with conn:
    # At least one byte and at most 1024; an empty result is the end of file.
    data = conn.recv(1024)
    print("received:", data.decode(), flush=True)
    # Into the kernel's send queue. The client may not have it yet.
    conn.sendall(b"Hello, Client!")
    # Waits for the client's FIN.
    if conn.recv(1024):
        sys.exit("server.py: the client went on talking")
listener.close()
