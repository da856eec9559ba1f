-- What belongs to the installation as a whole: by which secret key its data is sealed.

SET LOCAL ROLE timebank_owner;

-- One row, added once by whoever uses the data first and never changed: another secret key is refused from then on.
CREATE TABLE installation (
    id          smallint PRIMARY KEY CONSTRAINT installation_one CHECK (id = 1),
    key_fingerprint bytea NOT NULL,            -- derived from the secret key for this alone; tells nothing of it
    recorded_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON installation TO timebank_app;
