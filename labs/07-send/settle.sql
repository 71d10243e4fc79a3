-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it. Conversation 1 is "reads", 2 "stopped".

-- check: who has the bytes when send() returns
-- pass: send() returned {written}; of these {far} bytes had come to the server's machine, {here} had not
-- fail: send() returned {written}, and {here} bytes were not yet at the server's machine: too few to tell
SELECT sent.ret = 1000000 AND e.out_unsent + e.out_in_flight > 500000 AND l.read = 1000000 AS pass,
       sent.ret AS written, e.out_unsent + e.out_in_flight AS here, e.out_rcvq + e.out_read AS far,
       sent.return_id || ',' || gone.id || ',' || last.id AS evidence
FROM call sent
     JOIN event e ON e.id = (SELECT max(id) FROM event WHERE conn = 1 AND role = 'client' AND id <= sent.return_id
                             AND out_unsent IS NOT NULL)
     JOIN ledger l ON l.conn = 1 AND l.sender = 'client'
     JOIN (SELECT min(id) AS id FROM event WHERE kind = 'proc' AND comm = 'client' AND id >
           (SELECT min(return_id) FROM call WHERE conn = 1 AND role = 'client' AND name = 'close')) gone
     JOIN (SELECT max(return_id) AS id FROM call WHERE conn = 1 AND role = 'server' AND name = 'recv' AND len > 0) last
WHERE sent.conn = 1 AND sent.role = 'client' AND sent.name = 'send';

-- check: who acknowledges
-- pass: no recv() of the server returned, and an ACK for all {written} bytes came
-- fail: of {written} bytes not all were acknowledged, or the server read some
SELECT l.read = 0 AND l.written = 50000 AND count(ack.event) > 0 AS pass, l.written,
       (SELECT max(return_id) FROM call WHERE conn = 2 AND role = 'client' AND name = 'send') || ',' ||
       min(ack.event) AS evidence
FROM ledger l LEFT JOIN segment ack ON ack.conn = 2 AND ack.sender = 'server' AND ack.rst = 0 AND ack.ack > l.written
WHERE l.conn = 2 AND l.sender = 'client';

-- check: who is told
-- pass: all calls of the client had returned without an error; then {gone} acknowledged bytes were thrown away
-- fail: a call of the client failed, or fewer than its 50000 bytes were thrown away
SELECT l.discarded = 50000 AND closed.ret = 0 AND closed.return_id < rst.event AND
       NOT EXISTS (SELECT 1 FROM call WHERE conn = 2 AND role = 'client' AND ret < 0) AS pass,
       l.discarded AS gone, closed.return_id || ',' || rst.event AS evidence
FROM ledger l
     LEFT JOIN call closed ON closed.conn = 2 AND closed.role = 'client' AND closed.name = 'close'
     LEFT JOIN (SELECT min(event) AS event FROM segment WHERE conn = 2 AND sender = 'server' AND rst = 1) rst
WHERE l.conn = 2 AND l.sender = 'client';
