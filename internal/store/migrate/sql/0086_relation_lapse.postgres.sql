-- +goose Up
-- A request nobody answers lapses (已失效); those that wait already do so thirty days after they were asked.
ALTER TABLE relation_request DROP CONSTRAINT relation_request_state_check;
ALTER TABLE relation_request ADD CONSTRAINT relation_request_state_check CHECK (state IN ('awaiting_customer','awaiting_partner','agreed','refused','withdrawn','lapsed'));
INSERT INTO due_change (machine, entity, action, due_at, tries)
SELECT 'relation', id, 'lapse', created_at + interval '30 days', 0
FROM relation_request WHERE state IN ('awaiting_customer','awaiting_partner');
