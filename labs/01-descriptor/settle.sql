-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it.

-- check: one of two descriptors is closed
-- pass: {left} descriptor was left: the server read {len} bytes sent through it; the FIN came with the last close()
-- fail: the socket did not outlive the first close()
SELECT first.references_left = 1 AND l.read = said.len AND said.id > first.return_id AND
       fin.event > last.id AND last.references_left = 0 AS pass,
       first.references_left AS left, said.len,
       first.return_id || ',' || said.return_id || ',' || read.return_id || ',' || last.return_id || ',' || fin.event
         AS evidence
FROM call first
     JOIN call said ON said.sid = first.sid AND said.name = 'send'
     JOIN call last ON last.sid = first.sid AND last.name = 'close' AND last.id > said.id
     JOIN ledger l ON l.conn = said.conn AND l.sender = 'client'
     JOIN call read ON read.conn = said.conn AND read.role = 'server' AND read.name = 'recv' AND read.len > 0
     JOIN segment fin ON fin.conn = said.conn AND fin.sender = 'client' AND fin.fin = 1 AND fin.arrival = 0
WHERE first.comm = 'client' AND first.name = 'close' AND first.ret = 0 AND first.id < said.id;

-- check: the same number is closed again
-- pass: close({fd}) returned -1, {errno}
-- fail: a second close() of the same number was no error
SELECT again.errno = 'EBADF' AS pass, again.fd, again.errno, first.return_id || ',' || again.return_id AS evidence
FROM call first JOIN call again ON again.name = 'close' AND again.comm = first.comm AND again.fd = first.fd
                               AND again.ret = -1
WHERE first.comm = 'client' AND first.name = 'close' AND first.ret = 0 AND first.id < again.id;

-- check: the next socket
-- pass: socket() returned {number} again, for another socket
-- fail: the numbers of the client's two sockets are {number} and {other}
SELECT a.ret = b.ret AND a.sid <> b.sid AS pass, a.ret AS number, b.ret AS other,
       a.return_id || ',' || b.return_id AS evidence
FROM call a JOIN call b ON b.name = 'socket' AND b.comm = a.comm AND b.id > a.id
WHERE a.comm = 'client' AND a.name = 'socket';
