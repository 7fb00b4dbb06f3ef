-- +goose Up
-- Why an organisation may do nothing for the moment: one row while it is suspended.
CREATE TABLE suspension (
  org_id {{key}} PRIMARY KEY REFERENCES organisation(id),
  reason {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL
) {{strict}};
-- 关联类型 of customers who come in by a platform for the first time.
ALTER TABLE sso_idp ADD COLUMN association {{text}} NOT NULL DEFAULT 'resale' CHECK (association IN ('resale','referral'));
-- The operator disabled it: its partner does not enable it again.
ALTER TABLE sso_idp ADD COLUMN held {{flag}} NOT NULL DEFAULT false;
