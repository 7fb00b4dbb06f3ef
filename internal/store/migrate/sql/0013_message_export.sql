-- +goose Up
-- 消息: what a person is told; digest serves the 30-second dedupe.
CREATE TABLE message (
  id {{key}} PRIMARY KEY,
  org_id {{key}} NOT NULL,
  person_id {{key}} NOT NULL,
  category {{text}} NOT NULL CHECK (category IN ('bill','customer','order','incentive','system')),
  code {{text}} NOT NULL,
  args {{text}} NOT NULL,
  link {{text}} NOT NULL,
  digest {{bytes}} NOT NULL,
  created_at {{instant}} NOT NULL,
  read_at {{instant}}
) {{strict}};
CREATE INDEX message_person ON message(person_id, org_id, created_at, id);
CREATE INDEX message_unread ON message(person_id, org_id) WHERE read_at IS NULL;

-- 导出任务: a file made later; person_id null = asked for by the operator.
CREATE TABLE export_task (
  id {{key}} PRIMARY KEY,
  org_id {{key}},
  person_id {{key}},
  login {{text}} NOT NULL,
  kind {{text}} NOT NULL,
  format {{text}} NOT NULL,
  params {{text}} NOT NULL,
  file_name {{text}} NOT NULL,
  content_type {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('processing','done','failed','expired')),
  version {{int}} NOT NULL,
  requested_at {{instant}} NOT NULL,
  done_at {{instant}},
  expires_at {{instant}},
  bytes {{int}} NOT NULL,
  line_count {{int}} NOT NULL,
  sha {{text}} NOT NULL,
  failure {{text}} NOT NULL
) {{strict}};
CREATE INDEX export_task_person ON export_task(org_id, person_id, requested_at, id);

CREATE TABLE export_piece (
  task_id {{key}} NOT NULL REFERENCES export_task(id),
  piece_no {{int}} NOT NULL,
  body {{bytes}} NOT NULL,
  PRIMARY KEY (task_id, piece_no)
) {{clustered}};
