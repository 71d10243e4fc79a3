-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it.

-- check: how many bytes
-- pass: close() returned with {left} bytes unsent, the process ended, and the client read {read} bytes
-- fail: of {written} bytes the client read {read}; {left} were unsent when the server called close()
SELECT l.written = 400000 AND l.read = l.written AND gone.id < reads.last AND closed.left > 0 AS pass,
       l.written, l.read, closed.left, closed.id || ',' || gone.id || ',' || reads.first || ',' || reads.last AS evidence
FROM ledger l,
     (SELECT max(c.return_id) AS id, max(e.out_unsent) AS left FROM call c
      JOIN event e ON e.conn = c.conn AND e.role = 'server' AND e.id < c.return_id
      WHERE c.role = 'server' AND c.name = 'close' AND c.conn = 1) closed,
     (SELECT max(id) AS id FROM event WHERE kind = 'proc' AND comm = 'server') gone,
     (SELECT min(return_id) AS first, max(return_id) AS last FROM call
      WHERE role = 'client' AND name = 'recv' AND len > 0) reads
WHERE l.conn = 1 AND l.sender = 'server';

-- check: the last recv()
-- pass: recv() returned 0, behind the FIN that left with the last bytes
-- fail: no receive call of the client returned 0
SELECT count(c.return_id) = 1 AS pass, fin.event || ',' || max(c.return_id) AS evidence
FROM (SELECT max(event) AS event FROM segment WHERE sender = 'server' AND fin = 1 AND arrival = 0) fin,
     call c WHERE c.role = 'client' AND c.eof = 1;
