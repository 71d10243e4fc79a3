-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it. The conversations are, in this order,
-- unread, late, linger.

-- check: unread bytes
-- pass: close() with 4 bytes unread: an RST. Of {written} bytes the client read {read}, then {error}; {gone} were thrown away
-- fail: of {written} bytes the client read {read}, and the server's close() did not end in an RST
SELECT l.read < l.written AND e.errno = 'ECONNRESET' AND c.rst_by = 'server' AS pass,
       l.written, l.read, e.errno AS error, l.destroyed + l.discarded + l.unacked AS gone,
       (SELECT max(id) FROM call WHERE conn = 1 AND role = 'server' AND name = 'close') || ',' ||
       (SELECT group_concat(event) FROM segment WHERE conn = 1 AND rst = 1 AND arrival = 0) || ',' ||
       (SELECT group_concat(return_id) FROM call WHERE conn = 1 AND role = 'client' AND name = 'recv') AS evidence
FROM conn c JOIN ledger l ON l.conn = c.id AND l.sender = 'server'
     LEFT JOIN call e ON e.conn = c.id AND e.role = 'client' AND e.name = 'recv' AND e.ret < 0
WHERE c.id = 1;

-- check: late bytes
-- pass: the server had closed in order. The 4 late bytes were answered by an RST: the client read {read}, then {error}
-- fail: of {written} bytes the client read {read}, and no RST answered its 4 bytes
SELECT l.read < l.written AND e.errno = 'ECONNRESET' AND c.rst_by = 'server' AND late.ret = 4 AND
       late.id > shut.return_id AS pass,
       l.written, l.read, e.errno AS error,
       shut.return_id || ',' || late.id || ',' ||
       (SELECT group_concat(event) FROM segment WHERE conn = 2 AND rst = 1 AND arrival = 0) || ',' ||
       (SELECT group_concat(return_id) FROM call WHERE conn = 2 AND role = 'client' AND name = 'recv') AS evidence
FROM conn c JOIN ledger l ON l.conn = c.id AND l.sender = 'server'
     LEFT JOIN call e ON e.conn = c.id AND e.role = 'client' AND e.name = 'recv' AND e.ret < 0
     LEFT JOIN call late ON late.conn = c.id AND late.role = 'client' AND late.name = 'send'
     LEFT JOIN call shut ON shut.conn = c.id AND shut.role = 'server' AND shut.name = 'close'
WHERE c.id = 2;

-- check: linger for 0 seconds
-- pass: close() sent an RST and no FIN; {gone} bytes were thrown away
-- fail: the server sent no RST, or a FIN
SELECT l.fin = 0 AND c.rst_by = 'server' AS pass, l.destroyed + l.discarded + l.unacked AS gone,
       (SELECT max(return_id) FROM call WHERE role = 'server' AND name = 'setsockopt' AND conn = 3) || ',' ||
       (SELECT max(id) FROM call WHERE role = 'server' AND name = 'close' AND conn = 3) || ',' ||
       (SELECT group_concat(event) FROM segment WHERE conn = 3 AND rst = 1 AND arrival = 0) AS evidence
FROM conn c JOIN ledger l ON l.conn = c.id AND l.sender = 'server'
WHERE c.id = 3;
