# SPDX-License-Identifier: MIT
"""Read what `strace -f -y -v -s 0 -o FILE` wrote: the calls on sockets, per thread."""
import re
from collections import defaultdict

CALLS = ("socket,socketpair,bind,listen,connect,accept,accept4,sendto,sendmsg,sendmmsg,write,writev,"
         "sendfile,splice,recvfrom,recvmsg,recvmmsg,read,readv,shutdown,close,dup,dup2,dup3,fcntl,"
         "setsockopt,getsockopt,getsockname,getpeername,poll,ppoll,select,pselect6,epoll_ctl,"
         "epoll_wait,epoll_pwait,epoll_pwait2")

LINE = re.compile(r"^(\d+) +(.*)$")
UNFINISHED = re.compile(r"^(.*?) *<unfinished \.\.\.>$")
RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
CALL = re.compile(r"^(\w+)\((.*?)\)? += (-?\w+|\?)(.*)$", re.S)
SOCKET = re.compile(r"(\d+)<(?:socket|TCP|TCPv6|UDP|UDPv6|UNIX(?:-\w+)?|NETLINK):\[[^]]*\]>")
EPOLL = re.compile(r"^(\d+)<anon_inode:\[eventpoll\]>")
FIRST_FD = re.compile(r"^(\d+)<")

WAITS = {"poll", "ppoll", "select", "pselect6"}
EPOLL_WAITS = {"epoll_wait", "epoll_pwait", "epoll_pwait2"}
BORN = {"socket", "socketpair"}
# Calls for sockets alone: they count where the descriptor is no socket, too.
SOCKET_ONLY = {"bind", "listen", "connect", "accept", "accept4", "sendto", "sendmsg", "sendmmsg", "recvfrom",
               "recvmsg", "recvmmsg", "shutdown", "setsockopt", "getsockopt", "getsockname", "getpeername"}
ON_ANYTHING = {"read", "write", "close"}
FCNTLS = re.compile(r", F_(DUPFD|DUPFD_CLOEXEC|SETFD|GETFD|SETFL|GETFL)\b")


def whole_lines(text):
    """(tid, line) with interrupted lines put together again; those never resumed stay as they are."""
    pending = {}
    for raw in text.splitlines():
        match = LINE.match(raw)
        if not match:
            continue
        tid, rest = int(match[1]), match[2]
        resumed = RESUMED.match(rest)
        if resumed:
            rest = pending.pop(tid, "?(") + resumed[1]
        # A call that never returned: "<unfinished ...>) = ?"
        rest = rest.replace(" <unfinished ...>) ", ") ")
        unfinished = UNFINISHED.match(rest)
        if unfinished:
            pending[tid] = unfinished[1]
            continue
        yield tid, rest
    for tid, rest in pending.items():
        yield tid, rest + ") = ?"


def result(value, rest):
    """As the program saw it: a number, "-1 NAME", or "?" for a call that did not return."""
    if value == "?":
        name = re.match(r" (ERESTART\w+)", rest)
        return f"-1 {name[1]}" if name else "?"
    if value == "-1":
        return "-1 " + rest.split()[0]
    return str(int(value, 0))


class Reader:
    def __init__(self, process_of=None):
        self.rows = defaultdict(list)
        self.process_of = process_of or {}
        self.epolls = set()  # (process, descriptor) of epoll instances that watch a socket

    def epoll(self, tid, call, args):
        """Descriptor of a row about epoll, None if no socket takes part."""
        match = EPOLL.match(args)
        if not match:
            return None
        key = (self.process_of.get(tid, tid), int(match[1]))
        if call == "epoll_ctl":
            sock = SOCKET.search(args)
            if not sock:
                return None
            self.epolls.add(key)
            return int(sock[1])
        return key[1] if key in self.epolls else None

    @staticmethod
    def misused(call, args, outcome):
        """The descriptor of a call that failed because it is closed or no socket, else None."""
        error = outcome.removeprefix("-1 ")
        if (error == "EBADF" and call in SOCKET_ONLY | ON_ANYTHING) or (error == "ENOTSOCK" and call in SOCKET_ONLY):
            number = re.match(r"-?\d+", args)
            return int(number[0]) if number else None
        return None

    def descriptor(self, tid, call, args):
        """The descriptor a row is about: a number, "-" for calls without one, None: no row."""
        if call in BORN:
            return "-"
        if call == "epoll_ctl" or call in EPOLL_WAITS:
            return self.epoll(tid, call, args)
        if call in WAITS:
            return "-" if SOCKET.search(args) else None
        if call in ("sendfile", "splice"):
            sock = SOCKET.search(args)
            return int(sock[1]) if sock else None
        sock = SOCKET.match(args)
        if call == "fcntl" and not FCNTLS.search(args):
            return None
        if call in ("dup2", "dup3") and not sock:
            # A file put over a socket closes that socket.
            over = re.match(r"\d+<[^>]*>, " + SOCKET.pattern, args)
            first = FIRST_FD.match(args)
            return int(first[1]) if over and first else None
        return int(sock[1]) if sock else None

    def add(self, tid, line):
        match = CALL.match(line)
        if not match:
            return
        call, args, value, rest = match.groups()
        if call == "close" and EPOLL.match(args):
            self.epolls.discard((self.process_of.get(tid, tid), int(EPOLL.match(args)[1])))
        outcome = result(value, rest)
        fd = self.misused(call, args, outcome)
        if fd is None:
            fd = self.descriptor(tid, call, args)
        if fd is not None:
            self.rows[tid].append(f"{call} {fd} {outcome}")


def read(text, process_of=None):
    """tid -> ["call fd result", ...]. process_of: tid -> pid, for threads that share an epoll."""
    reader = Reader(process_of)
    for tid, line in whole_lines(text):
        reader.add(tid, line)
    return dict(reader.rows)
