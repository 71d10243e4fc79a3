#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One client process, one server process: the plain conversation.

load helper

@test "pair: every call of both ends, with results" {
    trace_run -- "$PROGS/pair" v4
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    server=$(one sock call=recvfrom phase=exit role=server)
    listener=$(one sock call=listen phase=exit)

    expect_rows call,ret kind=call phase=exit sock="$client" call!=socket <<'END'
connect 0
sendto 14
recvfrom 14
close 0
END
    expect_rows call,ret kind=call phase=exit sock="$server" <<'END'
recvfrom 14
sendto 14
recvfrom 0
close 0
END
    expect_rows call kind=call phase=exit sock="$listener" ret!=-1 <<'END'
socket
bind
listen
getsockname
accept
close
END
    expect_count 0 kind=call phase=exit ret=-1
}

@test "pair: two processes, two roles, one conversation" {
    trace_run -- "$PROGS/pair" v4
    client=$(one pid call=connect phase=exit)
    server=$(one pid call=accept phase=exit)
    [ "$client" != "$server" ]
    same "client's role" client "$(one role call=connect phase=exit)"
    same "server's role" server "$(one role call=recvfrom pid="$server")"
    same conversations 1 "$(q -u -o conn "conn>0" | wc -l)"
    # A conversation is seen from both ends: each one's source is the other's destination.
    same addresses "$(q -u -o src,dst call=sendto phase=exit role=client)" \
        "$(q -u -o dst,src call=sendto phase=exit role=server)"
}

@test "pair: the states of both ends, each by its own socket" {
    trace_run -- "$PROGS/pair" v4
    client=$(one sock call=connect phase=exit)
    server=$(one sock call=recvfrom phase=exit role=server)
    expect_rows old_state,new_state kind=state sock="$client" <<'END'
CLOSE SYN_SENT
SYN_SENT ESTABLISHED
ESTABLISHED FIN_WAIT1
FIN_WAIT1 FIN_WAIT2
FIN_WAIT2 CLOSE
END
    expect_rows new_state kind=state sock="$server" new_state!=SYN_RECV <<'END'
ESTABLISHED
CLOSE_WAIT
LAST_ACK
CLOSE
END
    # The owner is whoever holds the socket, not whoever ran when the kernel did it.
    same owner "$(one pid call=connect phase=exit)" "$(one pid kind=state sock="$client")"
}

@test "pair: connect is answered before accept is called, by the kernel" {
    trace_run -- "$PROGS/pair" alone
    expect_before "call=connect phase=exit" "call=accept phase=enter"
    expect_before "kind=segment flags=SYN,ACK" "call=accept phase=enter"
}

@test "pair: the FIN comes after the last byte, EOF after the FIN, and there is no RST" {
    trace_run -- "$PROGS/pair" v4
    same "sequence number of the client's FIN" 15 "$(one seq kind=segment flags~FIN from=client)"
    same "sequence number of the server's FIN" 15 "$(one seq kind=segment flags~FIN from=server)"
    expect_before "kind=segment flags~FIN" "call=recvfrom phase=exit ret=0"
    expect_before "call=close phase=enter role=client" "call=recvfrom phase=exit ret=0"
    expect_count 0 kind=segment flags~RST
    expect_count 0 kind=rst_sent
}

@test "pair: every byte ends as read" {
    trace_run -- "$PROGS/pair" v4
    expect_delivered "$(one sock call=connect phase=exit)" 14
    expect_delivered "$(one sock call=recvfrom phase=exit role=server)" 14
}

@test "pair: three megabytes, ledger balanced on every line" {
    trace_run -- "$PROGS/pair" bulk
    client=$(one sock call=connect phase=exit)
    expect_delivered "$client" 3000000
    same "sum of the sends" 3000000 "$(sum ret call=sendto phase=exit sock="$client")"
    same "sum of the receives" 3000000 "$(sum ret call=recvfrom phase=exit role=server)"
}

@test "pair: the other ways to move bytes" {
    local way bytes
    while read -r way bytes; do
        trace_run -- "$PROGS/inout" "$way"
        same "$way: status" 0 "$status"
        expect_delivered "$(one sock call=connect phase=exit)" "$bytes"
    done <<'END'
msg 16
vec 16
rw 10
peek 10
file 5000
END
}

@test "pair: which call moved the bytes" {
    trace_run -- "$PROGS/inout" msg
    expect_rows call,ret,len kind=call phase=exit call~msg <<'END'
sendmsg 16 16
recvmsg 16 16
END
    trace_run -- "$PROGS/inout" vec
    expect_rows call,ret,len kind=call phase=exit call~v$ ret=16 <<'END'
writev 16 16
readv 16 16
END
    trace_run -- "$PROGS/inout" mmsg
    expect_rows call,ret,len kind=call phase=exit call~mmsg <<'END'
sendmmsg 2 16
recvmmsg 2 16
END
    trace_run -- "$PROGS/inout" file
    expect_rows call,ret kind=call phase=exit "call~sendfile|splice" <<'END'
sendfile 5000
splice 5000
splice 5000
END
}

@test "pair: a look with MSG_PEEK takes nothing" {
    trace_run -- "$PROGS/inout" peek
    expect_count 2 call=recvfrom phase=exit flags~MSG_PEEK
    same "unread after the looks" 10 \
        "$(q -o ledger_in.rcvq call=recvfrom phase=exit flags~MSG_PEEK | tail -1)"
    expect_count 1 call=recvfrom phase=exit ret=-1 errno=EAGAIN
}

@test "pair: a full accept queue: depth, limit, and the SYN that was sent again" {
    trace_run -- "$PROGS/backlog"
    same status 0 "$status"
    listener=$(one sock call=listen phase=exit)
    same "deepest accept queue" 2 "$(q -o accept_queue.depth sock="$listener" accept_queue.depth | sort -n | tail -1)"
    same "its limit" 1 "$(one accept_queue.limit sock="$listener" "accept_queue.depth>0")"
    expect_some kind=rcvq_full sock="$listener" accept_queue.depth=2 accept_queue.limit=1
    expect_some kind=retransmit
    expect_count 1 call=connect phase=exit errno=EINPROGRESS
    expect_count 3 call=accept phase=exit ret!=-1
}

@test "pair: many parts, many messages: the amounts are whole" {
    trace_run -- "$PROGS/inout" many
    same status 0 "$status"
    expect_rows call,ret,requested kind=call phase=exit "call~^(read|write)v$" <<'END'
writev 220 220
readv 220 220
END
    expect_delivered "$(one sock call=connect phase=exit)" 220
    trace_run -- "$PROGS/inout" mmany
    same status 0 "$status"
    # 1 + 2 + ... + 30 bytes
    expect_rows call,ret,len kind=call phase=exit call~mmsg <<'END'
sendmmsg 30 465
recvmmsg 30 465
END
}
