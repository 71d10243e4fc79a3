-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it.

-- check: connect() before accept()
-- pass: connect() returned 0 with {depth} connection in the accept queue; accept() was called later
-- fail: connect() did not return before accept() was called
SELECT k.ret = 0 AND k.return_id < a.id AND q.accept_depth = 1 AS pass, q.accept_depth AS depth,
       q.id || ',' || k.return_id || ',' || a.return_id AS evidence
FROM call k, call a, (SELECT max(id) AS id, accept_depth FROM event WHERE accept_depth > 0) q
WHERE k.name = 'connect' AND k.role = 'client' AND a.name = 'accept';

-- check: send() before accept()
-- pass: send() returned {len}; {rcvq} bytes were in the receive queue of a connection that nobody had accepted
-- fail: send() did not return before accept() was called, or the bytes were elsewhere
SELECT k.len = 50000 AND max(e.in_rcvq) = k.len AND k.return_id < a.id AS pass, k.len, max(e.in_rcvq) AS rcvq,
       k.return_id || ',' || e.id || ',' || a.id AS evidence
FROM call k, call a, event e
WHERE k.name = 'send' AND k.role = 'client' AND a.name = 'accept' AND e.role = 'server' AND e.id < a.id;

-- check: accept() after the client has gone
-- pass: the client had closed; accept() returned {fd}, and recv() {read} bytes and then 0
-- fail: accept() did not hand out the connection of the client that had gone
SELECT fin.event < a.id AND a.ret >= 0 AND l.read = 50000 AND e.eof = 1 AS pass, a.ret AS fd, l.read,
       fin.event || ',' || a.return_id || ',' || e.return_id AS evidence
FROM call a
     JOIN ledger l ON l.sender = 'client'
     JOIN (SELECT min(event) AS event FROM segment WHERE sender = 'client' AND fin = 1 AND arrival = 0) fin
     JOIN call e ON e.role = 'server' AND e.eof = 1
WHERE a.name = 'accept';
