# SPDX-License-Identifier: MIT
"""client.c in Python, call by call: python3 client.py [PORT]"""
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 65430

# A descriptor: not connected to anything.
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# Looks the name up, sends a SYN and waits for the answer of the server's
# kernel. (create_connection() would try every address of the name, as
# client.c does; a socket of AF_INET can only try the IPv4 one.)
try:
    client.connect(("localhost", port))
except OSError as error:
    sys.exit(f"client.py: nobody listens at localhost port {port}: "
             f"{error.strerror}")
# Into the kernel's send queue; sendall() goes on until it took all bytes.
client.sendall(b"Hello, Server!")
# Waits for the first byte; an empty result would be the server's FIN.
data = client.recv(1024)
print("received:", data.decode())
# Our FIN.
client.close()
