-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it.

-- check: how many are connected
-- pass: before the first accept() {n} of 5 calls of connect() returned; the queue: {depth} of {allowed}
-- fail: before the first accept() {n} of 5 calls of connect() returned
SELECT count(c.return_id) = 2 AND q.depth = 2 AS pass, count(c.return_id) AS n, q.depth, q.allowed,
       (SELECT min(coalesce(return_id, id)) FROM call WHERE name = 'listen') || ',' || group_concat(c.return_id) || ',' ||
       first.id AS evidence
FROM (SELECT min(coalesce(return_id, id)) AS id FROM call WHERE name = 'accept') first
     JOIN (SELECT max(accept_depth) AS depth, min(accept_limit) AS allowed FROM event WHERE accept_limit = 1) q
     LEFT JOIN call c ON c.name = 'connect' AND c.return_id < first.id;

-- check: the third client
-- pass: its SYN was dropped, nothing was sent back, and {n} SYN more opened the connection
-- fail: its first SYN was answered, or the second one was not
SELECT syn.n > 0 AND c.ret = 0 AND answer.event > syn.event AS pass, syn.n,
       (SELECT min(id) FROM event WHERE kind = 'rcvq_full') || ',' || syn.event || ',' || answer.event || ',' ||
       c.return_id AS evidence
FROM call c
     JOIN (SELECT count(*) AS n, min(event) AS event FROM segment WHERE conn = 3 AND syn = 1 AND sender = 'client' AND
           retransmission = 1 AND paired = 0) syn
     JOIN (SELECT min(event) AS event FROM segment WHERE conn = 3 AND sender = 'server') answer
WHERE c.conn = 3 AND c.name = 'connect';

-- check: a backlog of 100000
-- pass: listen() returned 0, and the queue has a limit of {allowed}
-- fail: the queue has a limit of {allowed}
SELECT c.ret = 0 AND max(e.accept_limit) = 16 AS pass, max(e.accept_limit) AS allowed,
       coalesce(c.return_id, c.id) AS evidence
FROM call c JOIN event e ON e.sock = c.sock WHERE c.name = 'listen' AND c.backlog = 100000;
