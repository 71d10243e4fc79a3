-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it. Each pair of servers has a port of its own.

-- check: the server closed first
-- pass: the server's FIN was the first; bind() of the next server: {error}
-- fail: the first FIN was the {first}'s; bind() of the next server returned {ret}
SELECT c.closed_first = 'server' AND b.errno = 'EADDRINUSE' AS pass, c.closed_first AS first, b.errno AS error, b.ret,
       (SELECT min(event) FROM segment WHERE conn = 1 AND fin = 1) || ',' || b.return_id AS evidence
FROM conn c JOIN call b ON b.id = (SELECT id FROM call WHERE name = 'bind' ORDER BY id LIMIT 1 OFFSET 1) WHERE c.id = 1;

-- check: the client closed first
-- pass: the client's FIN was the first; bind() of the next server returned {ret}
-- fail: the first FIN was the {first}'s; bind() of the next server returned {ret}
SELECT c.closed_first = 'client' AND b.ret = 0 AS pass, c.closed_first AS first, b.ret,
       (SELECT min(event) FROM segment WHERE conn = 2 AND fin = 1) || ',' || b.return_id AS evidence
FROM conn c JOIN call b ON b.id = (SELECT id FROM call WHERE name = 'bind' ORDER BY id LIMIT 1 OFFSET 3) WHERE c.id = 2;

-- check: only the new one has the option
-- pass: the new server had set SO_REUSEADDR, the old one had not: {error}; where both had, bind() returned {both}
-- fail: bind() of the new server returned {ret}; where both servers had the option, {both}
SELECT b.errno = 'EADDRINUSE' AND two.ret = 0 AND o.ret = 0 AS pass, b.errno AS error, b.ret, two.ret AS "both",
       o.return_id || ',' || b.return_id || ',' || two.return_id AS evidence
FROM call b JOIN call two ON two.id = (SELECT id FROM call WHERE name = 'bind' ORDER BY id LIMIT 1 OFFSET 7)
     JOIN call o ON o.name = 'setsockopt' AND o.option = 'SO_REUSEADDR' AND o.pid = b.pid
WHERE b.id = (SELECT id FROM call WHERE name = 'bind' ORDER BY id LIMIT 1 OFFSET 5);
