-- How many rows a login has exported on a day decides whether a second person is asked.

SET LOCAL ROLE timebank_owner;

CREATE TABLE export_day (
    community_id uuid NOT NULL REFERENCES region (id),
    login_id    uuid NOT NULL,
    list        varchar(40) NOT NULL,          -- its name in the manifest
    day         date NOT NULL,
    rows        integer NOT NULL CHECK (rows >= 0),
    PRIMARY KEY (community_id, login_id, list, day)
);
CALL protect_tenant_table('export_day', 'SELECT, INSERT');
GRANT UPDATE (rows) ON export_day TO timebank_app;
