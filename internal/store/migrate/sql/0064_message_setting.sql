-- +goose Up
-- 消息接收设置: what a person does not want to be told on a channel; everything else is told.
CREATE TABLE message_off (
  person_id {{key}} NOT NULL,
  org_id {{key}} NOT NULL,
  category {{text}} NOT NULL CHECK (category IN ('bill','customer','order','incentive','system')),
  channel {{text}} NOT NULL CHECK (channel IN ('bell','mail')),
  PRIMARY KEY (person_id, org_id, category, channel)
) {{strict}};

-- The language of a person's letters.
CREATE TABLE message_language (
  person_id {{key}} PRIMARY KEY,
  language {{text}} NOT NULL CHECK (language IN ('zh-CN','en'))
) {{strict}};
