-- SPDX-License-Identifier: MIT
-- One check a question of predict.md: the lines that settle it. The conversations are, in this order,
-- merged, cut, large.

-- check: three sends, one reader with room
-- pass: {sends} calls of send(), {segments} segments with data, and {recvs} recv() that returned bytes: {len}
-- fail: {sends} calls of send() were read by {recvs} calls of recv()
SELECT l.send_calls = 3 AND l.recv_calls = 1 AS pass, l.send_calls AS sends, l.recv_calls AS recvs,
       (SELECT count(*) FROM segment WHERE conn = 1 AND sender = 'client' AND len > 0 AND arrival = 0
                                           AND retransmission = 0) AS segments,
       (SELECT max(len) FROM call WHERE conn = 1 AND name = 'recv') AS len,
       (SELECT group_concat(return_id) FROM call WHERE conn = 1 AND name IN ('send', 'recv') AND len > 0) AS evidence
FROM ledger l WHERE l.conn = 1 AND l.sender = 'client';

-- check: three sends, a buffer of 4
-- pass: recv() returned {lens}, and then 0
-- fail: recv() returned {lens}
SELECT lens = '4, 4, 1' AS pass, lens,
       (SELECT group_concat(return_id) FROM call WHERE conn = 2 AND name IN ('send', 'recv')) AS evidence
FROM (SELECT group_concat(len, ', ') AS lens
      FROM (SELECT len FROM call WHERE conn = 2 AND name = 'recv' AND len > 0 ORDER BY id));

-- check: one large send
-- pass: one send() of {written} bytes; {recvs} recv(), the first of which returned {first}
-- fail: one send() of {written} bytes was read by {recvs} recv()
SELECT l.send_calls = 1 AND l.recv_calls > 1 AND l.read = l.written AS pass, l.written, l.recv_calls AS recvs,
       (SELECT len FROM call WHERE conn = 3 AND name = 'recv' ORDER BY id LIMIT 1) AS first,
       (SELECT group_concat(return_id) FROM call WHERE conn = 3 AND name IN ('send', 'recv') AND len > 0) AS evidence
FROM ledger l WHERE l.conn = 3 AND l.sender = 'client';
