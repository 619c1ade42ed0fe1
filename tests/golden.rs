//! Golden vectors: the exact bytes and the hash of one entry of every kind, of a receipt and of a
//! plan's id. They may never change: a byte that changed here makes every ledger in the world
//! unsound. A new format is a new version beside these, with vectors of its own.
#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tollgate::digest::{
    ChainHash, Checksum, ENTRY_CONTEXT, PLAN_CONTEXT, RECEIPT_CONTEXT, SAVED_PLAN_CONTEXT, Sha256,
};
use tollgate::ledger::View;
use tollgate::model::entry::{
    Absorbed, Approved, BackedUp, BackupKind, Believed, Bound, BrokeGlass, Chained, Emergency,
    Ending, Engine, Failure, Found, Head, How, Intent, Opened, Outcome, Place, PolicySeen,
    PostReviewed, Progress, ReceiptRef, Refused, RefusedGate, Rehearsed, Resolved, Restored,
    Reverted, TakenIn, TargetIdentity, Verdict, Verified, VerifiedBackup, Waived,
};
use tollgate::model::receipt::EarlierRehearsal;
use tollgate::model::{
    Actor, Approval, AttemptId, DataMode, Debt, DownBytes, EarlierSuccess, Entry, Environment,
    EnvironmentName, Fact, GitState, IncarnationId, IncidentId, IncidentName, MigrationId, Origin,
    Policy, Provenance, Receipt, ReceiptKind, Rehearsal, RehearsedDown, Release, Stage, Timestamp,
    Waiver, WriterId,
};
use tollgate::planner::saved::{
    Content, SCHEMA, SavedAnswer, SavedDeed, SavedDown, SavedPlan, SavedPolicy, SavedProof,
    SavedStep,
};
use tollgate::planner::{FileFacts, Inputs, plan};

/// Name, context, exact bytes, hash.
const VECTORS: &[(&str, &str, &str, &str)] = &[
    (
        "opened, the first of all",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":1,"prev":null,"at":"2025-11-04T09:53:21.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"opened","payload":{"after":null}}"#,
        "9f207041799b5b1f5b869eb325568066eca8e3d97d552d1065adcd30c53b1c89",
    ),
    (
        "opened, after a copy",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":2,"prev":"0202020202020202020202020202020202020202020202020202020202020202","at":"2025-11-04T09:53:22.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"opened","payload":{"after":{"writer":"0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d","number":41,"hash":"2222222222222222222222222222222222222222222222222222222222222222"}}}"#,
        "ad1c7efb94dde32ab446790a8d94508bbf12b52cfc8c55fab48d67e8c67d5702",
    ),
    (
        "bound",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"prev":"0303030303030303030303030303030303030303030303030303030303030303","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"bound","payload":{"environment":"test","target":{"incarnation":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","engine":"postgresql","system":"7300000000000000001","database":16384,"name":"shop \"beta\""},"reason":"restored"}}"#,
        "6dba192e5d0bd98935387ca1cdfef484a307accd5d41a084ee00c7c9c3bf5cb6",
    ),
    (
        "intent",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":4,"prev":"0404040404040404040404040404040404040404040404040404040404040404","at":"2025-11-04T09:53:24.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444"}}"#,
        "814c5259813752706fb0f781bd0d8019513a26403ea3c108b087f7c29ae8da90",
    ),
    (
        "outcome, succeeded",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":5,"prev":"0505050505050505050505050505050505050505050505050505050505050505","at":"2025-11-04T09:53:25.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"succeeded","receipt":{"seq":2,"hash":"fca64ddc2cdd2a6d0c9c612f67438fc7816282333caeed8b0787b131216cd91e"},"kind":"atomic","settled":false,"progress":null,"error":null}}"#,
        "c427682a472abd21ad265189219f476fc300712c36b9e2a0fa6a8ff46745c28e",
    ),
    (
        "outcome, failed",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":6,"prev":"0606060606060606060606060606060606060606060606060606060606060606","at":"2025-11-04T09:53:26.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"failed","receipt":null,"kind":null,"settled":false,"progress":{"done":1,"of":3},"error":{"message":"relation \"users\" already exists\nzeile 2: naïve","code":"42P07","line":1}}}"#,
        "f9ab5081d23f2221b03d74395fa785a5b0d3ff3d208d27e36b7132b798b93efd",
    ),
    (
        "outcome, unknown",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":7,"prev":"0707070707070707070707070707070707070707070707070707070707070707","at":"2025-11-04T09:53:27.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"unknown","receipt":null,"kind":null,"settled":false,"progress":null,"error":null}}"#,
        "dbc2825ee4c12a0ef3a1ebf60c93692c214f77a43ee5e8b2d3cf825695b30550",
    ),
    (
        "outcome, settled as failed",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":8,"prev":"0808080808080808080808080808080808080808080808080808080808080808","at":"2025-11-04T09:53:28.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"failed","receipt":null,"kind":null,"settled":true,"progress":null,"error":null}}"#,
        "bcc04f676f21ab7634ab722f86ed08933d82a1ae940996280286349d124b66a8",
    ),
    (
        "absorbed",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":9,"prev":"0909090909090909090909090909090909090909090909090909090909090909","at":"2025-11-04T09:53:29.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"absorbed","payload":{"environment":"test","hash":"fca64ddc2cdd2a6d0c9c612f67438fc7816282333caeed8b0787b131216cd91e","body":"{\"v\":1,\"seq\":2,\"prev\":\"1111111111111111111111111111111111111111111111111111111111111111\",\"target\":\"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c\",\"environment\":\"test\",\"kind\":\"atomic\",\"attempt\":\"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7\",\"migration\":\"20251103170000_add_users\",\"blake3\":\"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8\",\"sha256\":\"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5\",\"writer\":\"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e\",\"number\":3,\"head\":\"3333333333333333333333333333333333333333333333333333333333333333\",\"plan\":\"4444444444444444444444444444444444444444444444444444444444444444\",\"at\":\"2025-11-04T09:53:23.007Z\",\"actor\":\"Ada Lovelace <ada@example.org>\",\"origin\":{\"kind\":\"ci\",\"system\":\"github\",\"run\":null},\"tool\":\"tollgate 0.1.0\",\"waivers\":[],\"debts\":[]}"}}"#,
        "64e5c1f686a878ca144ccd76680972181766a0727aa2fd06d742f6568dd16685",
    ),
    (
        "refused",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":10,"prev":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","at":"2025-11-04T09:53:30.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"refused","payload":{"verb":"apply","environment":"prod","plan":"4444444444444444444444444444444444444444444444444444444444444444","gates":[{"gate":"identity","migration":null},{"gate":"promotion","migration":"20251103170000_add_users"}]}}"#,
        "fe627cec6a8d47190e385423bbd51564b81d53faf8b1555a6c0652e447037fe4",
    ),
    (
        "resolved",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":11,"prev":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b","at":"2025-11-04T09:53:31.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"resolved","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","verdict":"not-applied","reason":"dropped the index by hand"}}"#,
        "dca6327bb41517831b8fdad2092aea05d67bc8629f673a74b09b09502c29fe71",
    ),
    (
        "chained",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":12,"prev":"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","at":"2025-11-04T09:53:32.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"chained","payload":{"environments":["dev","test"],"reason":"stage was never used"}}"#,
        "b403b0f74e8c0ff2e0e9443b54bb40ab29c8d5847dde2c51cf01cf5dc83258d1",
    ),
    (
        "intent, going on",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":13,"prev":"0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d","at":"2025-11-04T09:53:33.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","from":3}}"#,
        "8baf7cc212696014d8e47b030c74290c83835a07752a369b4f870c5a7440db30",
    ),
    (
        "outcome, settled from the journal",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":14,"prev":"0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e","at":"2025-11-04T09:53:34.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"failed","receipt":null,"kind":null,"settled":true,"progress":{"done":2,"of":5},"error":null,"how":"journal"}}"#,
        "d937f7e856c901049fc311f1b03e5e8e1df15aaf0081dd73a5bc6848e8a7ee85",
    ),
    (
        "outcome, settled by writing the receipt",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":15,"prev":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","at":"2025-11-04T09:53:35.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"succeeded","receipt":{"seq":2,"hash":"5555555555555555555555555555555555555555555555555555555555555555"},"kind":"journalled","settled":true,"progress":null,"error":null,"how":"journal-complete"}}"#,
        "75a0900992b9d66c78c75e384068c117946d3281a9d5602dcd1f57be164b9762",
    ),
    (
        "outcome, applied on a person's word",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":16,"prev":"1010101010101010101010101010101010101010101010101010101010101010","at":"2025-11-04T09:53:36.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"succeeded","receipt":{"seq":2,"hash":"5555555555555555555555555555555555555555555555555555555555555555"},"kind":"resolved","settled":true,"progress":null,"error":null,"how":"receipt"}}"#,
        "7ecd9ebb7a8cafe4ef381690ea5e8d23649159289778de70483d0769e5a03710",
    ),
    (
        "resolved, to go on",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":17,"prev":"1111111111111111111111111111111111111111111111111111111111111111","at":"2025-11-04T09:53:37.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"resolved","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","verdict":"continue-at","reason":"dropped the INVALID index","script":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","progress":{"done":2,"of":5}}}"#,
        "093aec9ef9507bf42b142f6e5847e0170d85c9651cd3973c91989e62b4f23c2c",
    ),
    (
        "resolved, applied",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":18,"prev":"1212121212121212121212121212121212121212121212121212121212121212","at":"2025-11-04T09:53:38.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"resolved","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","verdict":"applied","reason":"ran the rest by hand"}}"#,
        "0561bc486d00322b4417cb59a5a9e173a760d28dd514a979de5231ac76120bd8",
    ),
    (
        "resolved, superseded",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":19,"prev":"1313131313131313131313131313131313131313131313131313131313131313","at":"2025-11-04T09:53:39.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"resolved","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","verdict":"superseded","reason":"attempt 0a0a of another ledger went on"}}"#,
        "286ea1aec52c4a05d7d1bb705f2906cd2f350f5d55bd0bf19276bf42120d383c",
    ),
    (
        "outcome, settled without a trace",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":20,"prev":"1414141414141414141414141414141414141414141414141414141414141414","at":"2025-11-04T09:53:40.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"failed","receipt":null,"kind":null,"settled":true,"progress":null,"error":null,"how":"no-trace"}}"#,
        "446aa570df102219d87cb80cb05271d7db32f9853e435a19e6fffdbb23859741",
    ),
    (
        "taken-in",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":21,"prev":"1515151515151515151515151515151515151515151515151515151515151515","at":"2025-11-04T09:53:41.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"taken-in","payload":{"environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migrations":[{"migration":"20251101000000_init","kind":"prisma","what":"Prisma's row names these very bytes"},{"migration":"20251103170000_add_users","kind":"baselined","what":"it was edited after Prisma applied it here"}],"reason":"a comment was added"}}"#,
        "e247b750aa36ff39f2e2867d78ed344563e7215e59a64e326c6fd32b1d50e9d4",
    ),
    (
        "bound, in the place of another",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":22,"prev":"1616161616161616161616161616161616161616161616161616161616161616","at":"2025-11-04T09:53:42.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"bound","payload":{"environment":"test","target":{"incarnation":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","engine":"postgresql","system":"7300000000000000001","database":16384,"name":"shop \"beta\""},"reason":"refreshed from prod","replaces":"1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d","lost":["5555555555555555555555555555555555555555555555555555555555555555"]}}"#,
        "35faa19315b8b7716f755d8d5f7394e16e6675f37cb93e5c6dcd19d22e9fb88d",
    ),
    (
        "intent, outside the chain",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":23,"prev":"1717171717171717171717171717171717171717171717171717171717171717","at":"2025-11-04T09:53:43.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","preview":true}}"#,
        "b221b4ebe37133eede6fd949c74d128404dd769cb131a67b38266aa51ecce668",
    ),
    (
        "chained, without what stood there",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":24,"prev":"1818181818181818181818181818181818181818181818181818181818181818","at":"2025-11-04T09:53:44.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"chained","payload":{"environments":["dev","prod"],"reason":"test is gone","without":["test"],"over":[{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3}]}}"#,
        "c18ec4761dddc235b9dd7c649655fa4a20cdde06be3b45d68bff8ff9177e0bc6",
    ),
    (
        "believed",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":25,"prev":"1919191919191919191919191919191919191919191919191919191919191919","at":"2025-11-04T09:53:45.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"believed","payload":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"hash":"6666666666666666666666666666666666666666666666666666666666666666","reason":"the other one is a copy's"}}"#,
        "7853e3264cd1ac5c586fd4763c1b00d8f9201db738e5d5c28f5ebae6523fe514",
    ),
    (
        "verified",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":26,"prev":"1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a","at":"2025-11-04T09:53:46.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"verified","payload":{"environment":"prod","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","receipt":{"seq":2,"hash":"5555555555555555555555555555555555555555555555555555555555555555"},"schema":"7777777777777777777777777777777777777777777777777777777777777777","kept":"7878787878787878787878787878787878787878787878787878787878787878","differences":1}}"#,
        "6cfbed282ac8c42456e632bd8aa7ec13fd5028888779f83e986e2c8dbf68a7d7",
    ),
    (
        "rehearsed",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":27,"prev":"1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b","at":"2025-11-04T09:53:47.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"rehearsed","payload":{"attempt":"2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a","environment":"dev","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","receipt":{"seq":2,"hash":"5555555555555555555555555555555555555555555555555555555555555555"},"migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","down_blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","down_sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48","result":"lossy","stage":"in-place","data":"full","locked_ms":41,"found":["lost: public.users.email: other values"]}}"#,
        "609b7ad024bcd5c1cdec874b642de7f54d879c8db0a4114498fea61b176e688d",
    ),
    (
        "backed-up, a file that was restored",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":28,"prev":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","at":"2025-11-04T09:53:48.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"backed-up","payload":{"environment":"prod","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","receipt":{"seq":2,"hash":"5555555555555555555555555555555555555555555555555555555555555555"},"taken":"2025-11-04T09:53:27.007Z","what":{"kind":"file","file":"prod-20251104T101200Z-1f2e.dump","size":4096,"blake3":"blake3:39e26cb99568e13184f8dee992a94dd00c5562d4fdde67f47aeab4a052893f04","sha256":"a968d5c50a922d27bb0b3bd6ae2a844277ecaf681d1ca081fd5306603cdb5111","made_by":"pg_dump 15.18","verified":{"at":"2025-11-04T09:53:28.007Z","data":"sample","tables":3,"rows":1204}}}}"#,
        "8692242906ecc746d0d1eb0564f027407568301a05604bc78f6e5846e99071cb",
    ),
    (
        "backed-up, attested",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":29,"prev":"1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d","at":"2025-11-04T09:53:49.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"backed-up","payload":{"environment":"prod","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","receipt":null,"taken":"2025-11-04T09:53:27.007Z","what":{"kind":"attested","place":"the dashboard of the host"}}}"#,
        "909c17d4453271ffc5d0e18dc72e77e5e77b8fe5a0f4adeb15e8e48220e9d282",
    ),
    (
        "restored",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":30,"prev":"1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e","at":"2025-11-04T09:53:50.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"restored","payload":{"environment":"prod","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","file":"prod-20251104T101200Z-1f2e.dump","blake3":"blake3:39e26cb99568e13184f8dee992a94dd00c5562d4fdde67f47aeab4a052893f04","into":"restored"}}"#,
        "3c4c2e9f5308e2a5ef3a0f1809302f23779e9a69730ebbe1ea4a434c7948da50",
    ),
    (
        "waived",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":31,"prev":"1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f","at":"2025-11-04T09:53:51.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"waived","payload":{"environment":"test","gate":"order","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","reason":"the hotfix goes first"}}"#,
        "2e6ade121c3052881069d2a3487be6485ad638e4bd75be86de28dafc1fb8f95d",
    ),
    (
        "waived, of the reversal that stood there",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":32,"prev":"2020202020202020202020202020202020202020202020202020202020202020","at":"2025-11-04T09:53:52.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"waived","payload":{"environment":"test","gate":"rehearsal","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","down":"blake3:fa775251a86efa5f162927fc922ba91c9283ba5f4f523de5b0e6fd50f17c8b06","reason":"no time to rehearse"}}"#,
        "feb05237aad3e5213668e7cc3a6bb761a4ea42b21435c59fea3a06b027fb9481",
    ),
    (
        "intent, of a plan that stands on a waiver",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":33,"prev":"2121212121212121212121212121212121212121212121212121212121212121","at":"2025-11-04T09:53:53.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","waivers":[{"gate":"order","migration":"20251103170000_add_users","reason":"the hotfix goes first","actor":"Ada Lovelace <ada@example.org>","at":"2025-11-04T09:53:22.007Z","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3}}]}}"#,
        "cf0a4ccb1113967700a46d9264b888d3c2f8a769e52f626ffd7528540bc79a67",
    ),
    (
        "intent, through broken glass",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":34,"prev":"2222222222222222222222222222222222222222222222222222222222222222","at":"2025-11-04T09:53:54.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","debt":{"incident":"INC-7","reason":"nobody can log in","skipped":[{"gate":"promotion","migration":"20251103170000_add_users"},{"gate":"freeze","migration":null}],"owes":["dev","test"],"review_by":"2025-11-04T09:53:29.007Z"}}}"#,
        "c795b8ab3b8b2caf94769011b8165a26881f26d6f99640529029f03d70b4067c",
    ),
    (
        "intent, beside a down.sql",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":35,"prev":"2323232323232323232323232323232323232323232323232323232323232323","at":"2025-11-04T09:53:55.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","down":{"blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48"}}}"#,
        "d87cce7f81a5e33597e5025cb1d659daabceec550cc5b2d5ccf5b93bdb5b6026",
    ),
    (
        "intent, to undo",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":36,"prev":"2424242424242424242424242424242424242424242424242424242424242424","at":"2025-11-04T09:53:56.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"undone","plan":"4444444444444444444444444444444444444444444444444444444444444444","down":{"blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48"}}}"#,
        "cf875194a4fdc2e1bcf79106561be60cafe1bf293a9f43974d1e90da639ee182",
    ),
    (
        "reverted",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":37,"prev":"2525252525252525252525252525252525252525252525252525252525252525","at":"2025-11-04T09:53:57.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"reverted","payload":{"migration":"20251104101200_rollback_add_users","reverts":"20251103170000_add_users","blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48","reason":"nobody can log in"}}"#,
        "79585aec39e146dd2cc43677c544058adc42f59f7100b45acf9ef073188166a6",
    ),
    (
        "reverted, in an emergency",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":38,"prev":"2626262626262626262626262626262626262626262626262626262626262626","at":"2025-11-04T09:53:58.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"reverted","payload":{"migration":"20251104101200_rollback_add_users","reverts":"20251103170000_add_users","blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48","reason":"nobody can log in","incident":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"}}"#,
        "bcf37724011bdf99cd8be85682d3de73b749b9c1286ab43825a06de1e005ca70",
    ),
    (
        "emergency",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":39,"prev":"2727272727272727272727272727272727272727272727272727272727272727","at":"2025-11-04T09:53:59.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"emergency","payload":{"incident":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","migration":"20251103170000_add_users","environment":"prod","reason":"nobody can log in"}}"#,
        "ba5c10d86b342877bb8ac1ba625674278378d18c15c62b1a081bc40d641c6679",
    ),
    (
        "intent, under a saved plan",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":40,"prev":"2828282828282828282828282828282828282828282828282828282828282828","at":"2025-11-04T09:54:00.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","release":{"id":"7777777777777777777777777777777777777777777777777777777777777777","change":"CHG-123"}}}"#,
        "756eddb519d0d52e52c87cd089623ba7fd06744dfa009c48c8827c19e85b0e46",
    ),
    (
        "broke-glass",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":41,"prev":"2929292929292929292929292929292929292929292929292929292929292929","at":"2025-11-04T09:54:01.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"broke-glass","payload":{"environment":"prod","plan":"4444444444444444444444444444444444444444444444444444444444444444","incident":"INC-7","reason":"nobody can log in","skipped":[{"gate":"promotion","migration":"20251103170000_add_users"},{"gate":"freeze","migration":null}],"migrations":["20251103170000_add_users"],"review_by":"2025-11-04T09:53:29.007Z"}}"#,
        "ae1dfe87efe2c76a63c2cd626655c87621535f56e119063a143f6de66a42dc2e",
    ),
    (
        "post-reviewed",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":42,"prev":"2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a","at":"2025-11-04T09:54:02.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"post-reviewed","payload":{"environment":"prod","incident":"INC-7","attempts":["a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"],"note":"it held, and test runs it now"}}"#,
        "54f365649db0d06cc8c8b0670f40bd28615153c21543a48e8e4bf45dbe0d53d3",
    ),
    (
        "approved",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":43,"prev":"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b","at":"2025-11-04T09:54:03.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"approved","payload":{"environment":"prod","plan":"7777777777777777777777777777777777777777777777777777777777777777","approver":"bo","note":"read all of it"}}"#,
        "7fd06e84b798c0ff2c50a3163c40b626f101e506ae509d3f4dcbe8afff449252",
    ),
    (
        "policy",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":44,"prev":"2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c","at":"2025-11-04T09:54:04.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"policy","payload":{"environment":"prod","policy":"7070707070707070707070707070707070707070707070707070707070707070","was":{"data_loss":"refuse","never_waive":"promotion"},"is":{"approvals":"2, none by an author","data_loss":"refuse","never_waive":"promotion"}}}"#,
        "9194de15d842812b6cc0f84fabd2a8db4162f5d4dab782e4fa48c2ac38602f61",
    ),
    (
        "intent, under an approved plan",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":45,"prev":"2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d","at":"2025-11-04T09:54:05.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","release":{"id":"7777777777777777777777777777777777777777777777777777777777777777","change":"CHG-123","approvals":[{"approver":"bo","at":"2025-11-04T09:53:28.007Z","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3}},{"approver":"cy","at":"2025-11-04T09:53:28.007Z","typed_by":"Ada Lovelace <ada@example.org>","note":"read all of it","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":4}}]},"policy":"7070707070707070707070707070707070707070707070707070707070707070"}}"#,
        "beacd85d8bbc37a697f40715708a78a331353eb14952af921952043b65c4815e",
    ),
    (
        "intent, queued behind another",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":46,"prev":"2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e","at":"2025-11-04T09:54:06.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"intent","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","receipt":"journalled","plan":"4444444444444444444444444444444444444444444444444444444444444444","behind":"a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6"}}"#,
        "326a365f2359d5e0b0167b7d1ef839556aab01ec0b5ee975c6016dcc910c0e18",
    ),
    (
        "outcome, not run",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":47,"prev":"2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f","at":"2025-11-04T09:54:07.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":"lovelace"},"git":{"commit":"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1","dirty":false},"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"failed","receipt":null,"kind":null,"settled":true,"progress":null,"error":null,"how":"not-run"}}"#,
        "9bfd7e911f7fbf7b33f60ba6e663ea7220b812221c078b4e9fc2d5a035ee7821",
    ),
    (
        "outcome, with the database's clock",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":48,"prev":"3030303030303030303030303030303030303030303030303030303030303030","at":"2025-11-04T09:54:08.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"gitlab","run":"https://ci.example.org/runs/7"},"git":null,"tool":"tollgate 0.1.0","kind":"outcome","payload":{"attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","environment":"test","migration":"20251103170000_add_users","outcome":"succeeded","receipt":{"seq":2,"hash":"fca64ddc2cdd2a6d0c9c612f67438fc7816282333caeed8b0787b131216cd91e"},"kind":"atomic","settled":false,"progress":null,"error":null,"recorded_at":"2025-11-04T09:54:21.007Z"}}"#,
        "7a4ddc38b25a47660a03694b8d788b7d43f116b14f9868ceca9980c601f01a21",
    ),
    (
        "absorbed, with the database's clock",
        "tollgate 2026 ledger entry v1",
        r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":49,"prev":"3131313131313131313131313131313131313131313131313131313131313131","at":"2025-11-04T09:54:09.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"person","host":null},"git":{"commit":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","dirty":true},"tool":"tollgate 0.1.0","kind":"absorbed","payload":{"environment":"test","hash":"fca64ddc2cdd2a6d0c9c612f67438fc7816282333caeed8b0787b131216cd91e","body":"{\"v\":1,\"seq\":2,\"prev\":\"1111111111111111111111111111111111111111111111111111111111111111\",\"target\":\"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c\",\"environment\":\"test\",\"kind\":\"atomic\",\"attempt\":\"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7\",\"migration\":\"20251103170000_add_users\",\"blake3\":\"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8\",\"sha256\":\"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5\",\"writer\":\"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e\",\"number\":3,\"head\":\"3333333333333333333333333333333333333333333333333333333333333333\",\"plan\":\"4444444444444444444444444444444444444444444444444444444444444444\",\"at\":\"2025-11-04T09:53:23.007Z\",\"actor\":\"Ada Lovelace <ada@example.org>\",\"origin\":{\"kind\":\"ci\",\"system\":\"github\",\"run\":null},\"tool\":\"tollgate 0.1.0\",\"waivers\":[],\"debts\":[]}","recorded_at":"2025-11-04T09:54:22.007Z"}}"#,
        "e1707eae83f09940d6dc12df9e5c1d9baac04a60770022c26aa1f068e39f49bd",
    ),
    (
        "receipt",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[]}"#,
        "fca64ddc2cdd2a6d0c9c612f67438fc7816282333caeed8b0787b131216cd91e",
    ),
    (
        "receipt, of a row of Prisma's",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"prisma","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"prisma","origin":{"kind":"prisma","row":"5a0c3c5e-7c3d-4f0e-9c57-1f7e2f8d9a10","checksum":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","started":"2025-11-04T09:53:22.007Z","steps":1},"tool":"tollgate 0.1.0","waivers":[],"debts":[]}"#,
        "e48041f376d91b5e9e61bf9cbc4ae80ba115aacfc93958c413d28e4fb0607f6e",
    ),
    (
        "receipt, of a row written by hand whose folder is gone",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"baselined","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":null,"sha256":null,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"prisma","origin":{"kind":"prisma","row":"5a0c3c5e-7c3d-4f0e-9c57-1f7e2f8d9a10","checksum":"manual","started":"2025-11-04T09:53:22.007Z","steps":0},"tool":"tollgate 0.1.0","waivers":[],"debts":[]}"#,
        "44aa006460a4330febb9e389f8a723345f104f669376aa4f5563b4a92b19cbbb",
    ),
    (
        "receipt, of a step that stood on an earlier success",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[],"proofs":[{"environment":"dev","seq":7,"hash":"6666666666666666666666666666666666666666666666666666666666666666","kind":"atomic","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","at":"2025-11-04T09:53:21.007Z","actor":"Ada Lovelace <ada@example.org>"}]}"#,
        "9058ed523ccd473d33a927fd28cbc8494cb86ec103afdf15640bdbbb376d4072",
    ),
    (
        "receipt, of a step that was rehearsed in an earlier environment",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[],"proofs":[{"environment":"dev","seq":7,"hash":"6666666666666666666666666666666666666666666666666666666666666666","kind":"atomic","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","at":"2025-11-04T09:53:21.007Z","actor":"Ada Lovelace <ada@example.org>","rehearsal":{"down":{"blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48","result":"lossy","stage":"in-place","data":"full"},"at":"2025-11-04T09:53:20.007Z","actor":"Ada Lovelace <ada@example.org>"}}]}"#,
        "80d8f68e208cb4a83dfb1a582e0782204a432a81961fd5423c0439b3bbd7fb2b",
    ),
    (
        "receipt, rehearsed",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"rehearsed","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[],"rehearsal":{"blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48","result":"lossy","stage":"in-place","data":"full"}}"#,
        "941bd9400ea905125401e48c874d02aa9809a2bd784cda85383b12c5d0a44d08",
    ),
    (
        "receipt, of a step that stood on waivers, its own and an earlier success's",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[{"gate":"order","migration":"20251103170000_add_users","reason":"the hotfix goes first","actor":"Ada Lovelace <ada@example.org>","at":"2025-11-04T09:53:22.007Z","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3}}],"debts":[],"proofs":[{"environment":"dev","seq":7,"hash":"6666666666666666666666666666666666666666666666666666666666666666","kind":"atomic","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","at":"2025-11-04T09:53:21.007Z","actor":"Ada Lovelace <ada@example.org>","waivers":[{"gate":"data-loss","migration":"20251103170000_add_users","reason":"the hotfix goes first","actor":"Ada Lovelace <ada@example.org>","at":"2025-11-04T09:53:22.007Z","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3}}]}]}"#,
        "b2c72a8633747a2c3f1d09f3e5a0f4657321a07bc84239b270f7be4326afca92",
    ),
    (
        "receipt, through broken glass",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[{"incident":"INC-7","reason":"nobody can log in","skipped":[{"gate":"promotion","migration":"20251103170000_add_users"},{"gate":"freeze","migration":null}],"owes":["dev","test"],"review_by":"2025-11-04T09:53:29.007Z"}]}"#,
        "c241eacb6409cc0ffa8f3b343a2d9eb1906379e6edbb0841fccd3e7d59bb4b58",
    ),
    (
        "receipt, outside the chain",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[],"preview":true}"#,
        "5f6c05adad29c3cf34d361a0b3727e2ff1c66c0eb754522dd40b9f012a02cdbb",
    ),
    (
        "receipt, undone",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"undone","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[],"undone":{"blake3":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","sha256":"937ae32e019abfd72940f6b09c76aa98b0a04ffd22f82d38a58c5cc7ba016f48"}}"#,
        "584f2b2beb09e93f8e05c66a4d6de47ba04ee0f6eccc54b9aac480ee1a1e2cc1",
    ),
    (
        "receipt, under a saved plan",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[],"release":{"id":"7777777777777777777777777777777777777777777777777777777777777777","change":"CHG-123"}}"#,
        "196299142399f649bec622669cbeba6b0d9f3653a81f939c470d4391bd980572",
    ),
    (
        "receipt, under an approved plan",
        "tollgate 2026 receipt v1",
        r#"{"v":1,"seq":2,"prev":"1111111111111111111111111111111111111111111111111111111111111111","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","environment":"test","kind":"atomic","attempt":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","migration":"20251103170000_add_users","blake3":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3,"head":"3333333333333333333333333333333333333333333333333333333333333333","plan":"4444444444444444444444444444444444444444444444444444444444444444","at":"2025-11-04T09:53:23.007Z","actor":"Ada Lovelace <ada@example.org>","origin":{"kind":"ci","system":"github","run":null},"tool":"tollgate 0.1.0","waivers":[],"debts":[],"release":{"id":"7777777777777777777777777777777777777777777777777777777777777777","change":"CHG-123","approvals":[{"approver":"bo","at":"2025-11-04T09:53:28.007Z","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3}},{"approver":"cy","at":"2025-11-04T09:53:28.007Z","typed_by":"Ada Lovelace <ada@example.org>","note":"read all of it","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":4}}]},"policy":"7070707070707070707070707070707070707070707070707070707070707070"}"#,
        "31af1afa714af6a3443da3ab69e74bf5f476a99b6a734c0ded52a507f01a47b2",
    ),
    (
        "plan id",
        "tollgate 2026 plan id v1",
        r#"{"v":1,"environment":"test","target":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","head":{"seq":2,"hash":"33ce90b45a425f1b784a1db34fa6ab625decc4c4fcf507ec319d7be6dc3b9f64"},"steps":[["20251103170000_add_users","blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","atomic"]],"refusals":[["promotion","20251103170000_add_users"]],"waivers":[],"policy":{"environments":[{"name":"dev"},{"name":"test"}]}}"#,
        "3306f711d8fc0bd0d97a537e7bd4685162878df1646e9501ed8c935705b4ff3d",
    ),
    (
        "saved plan",
        "tollgate 2026 saved plan v1",
        r#"{"plan":"4444444444444444444444444444444444444444444444444444444444444444","environment":"test","made":"2025-11-04T09:53:23.007Z","by":"Ada Lovelace <ada@example.org>","tool":"tollgate 0.1.0","git":null,"expires":"2025-11-04T09:53:24.007Z","change":"CHG-123","target":{"incarnation":"1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c","engine":"postgresql","system":"7300000000000000001","database":16384,"name":"shop \"beta\""},"head":{"seq":2,"hash":"2222222222222222222222222222222222222222222222222222222222222222"},"policy":{"digest":"5555555555555555555555555555555555555555555555555555555555555555","words":{"soak":"1d"}},"steps":[{"migration":"20251103170000_add_users","checksum":"blake3:5e3074996baf9987849b420adb6ba51a946237403610e0d13441288471e10fc8","sha256":"6869107c4910d8df4680ee89aff9924b65ae79c81b5b78478f2b12f90254f6c5","kind":"atomic","standing":0,"notes":["a note"],"does":[{"kind":"locks","what":"line 1: a"}],"proofs":[{"environment":"dev","at":"2025-11-04T09:53:21.007Z","by":"Ada Lovelace <ada@example.org>","receipt":{"seq":7,"hash":"6666666666666666666666666666666666666666666666666666666666666666"},"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e"}],"authors":["Ada Lovelace <ada@example.org>"],"script":"CREATE TABLE users (id INTEGER PRIMARY KEY);\n","down":{"checksum":"blake3:00671cef5ffc6e59358d8f270c49ff53d35e3954c82c721e505a9b4462545ac3","script":"DROP TABLE a;"}}],"gates":[{"gate":"soak","migration":"20251103170000_add_users","state":"met","how":["it stood in dev for 2 d"]}],"waivers":[{"gate":"order","migration":"20251103170000_add_users","reason":"the hotfix goes first","actor":"Ada Lovelace <ada@example.org>","at":"2025-11-04T09:53:22.007Z","entry":{"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":3}}]}"#,
        "4a5fe41368bb53d6547d170da2fd4120797dc2f65b257ba79685de85a3fa3fa4",
    ),
];

const SCRIPT: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY);\n";

fn environment(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

fn migration() -> MigrationId {
    MigrationId::new("20251103170000_add_users")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_762_250_000_000 + seconds * 1000 + 7)
}

fn hash(n: u8) -> ChainHash {
    ChainHash::from_bytes([n; 32])
}

fn attempt() -> AttemptId {
    AttemptId::from_bytes([0xa7; 16])
}

fn incarnation() -> IncarnationId {
    IncarnationId::from_bytes([0x1c; 16])
}

fn writer() -> WriterId {
    WriterId::from_bytes([0x3e; 16])
}

fn identity() -> TargetIdentity {
    TargetIdentity {
        incarnation: incarnation(),
        engine: Engine::Postgresql,
        system: Some("7300000000000000001".to_owned()),
        database: Some(16_384),
        name: "shop \"beta\"".to_owned(),
    }
}

fn receipt() -> Receipt {
    Receipt {
        v: 1,
        seq: 2,
        prev: Some(hash(0x11)),
        target: incarnation(),
        environment: environment("test"),
        kind: ReceiptKind::Atomic,
        attempt: attempt(),
        migration: migration(),
        blake3: Some(Checksum::of(SCRIPT.as_bytes())),
        sha256: Some(Sha256::of(SCRIPT.as_bytes())),
        writer: writer(),
        number: 3,
        head: hash(0x33),
        plan: hash(0x44),
        at: at(3),
        actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
        origin: Origin::Ci {
            system: "github".to_owned(),
            run: None,
        },
        tool: "tollgate 0.1.0".to_owned(),
        waivers: Vec::new(),
        debts: Vec::new(),
        preview: false,
        proofs: Vec::new(),
        rehearsal: None,
        undone: None,
        release: None,
        policy: None,
    }
}

/// A receipt of our own run, and those of a history that was found.
fn receipts() -> Vec<(&'static str, Receipt)> {
    let by_prisma = |checksum: &str, steps| Origin::Prisma {
        row: "5a0c3c5e-7c3d-4f0e-9c57-1f7e2f8d9a10".to_owned(),
        checksum: checksum.to_owned(),
        started: at(2),
        steps,
    };
    let prisma = Receipt {
        kind: ReceiptKind::Prisma,
        actor: Actor("prisma".to_owned()),
        origin: by_prisma(&Sha256::of(SCRIPT.as_bytes()).to_string(), 1),
        ..receipt()
    };
    let baselined = Receipt {
        kind: ReceiptKind::Baselined,
        blake3: None,
        sha256: None,
        actor: Actor("prisma".to_owned()),
        origin: by_prisma("manual", 0),
        ..receipt()
    };
    vec![
        ("receipt", receipt()),
        ("receipt, of a row of Prisma's", prisma),
        (
            "receipt, of a row written by hand whose folder is gone",
            baselined,
        ),
        (
            "receipt, of a step that stood on an earlier success",
            Receipt {
                proofs: vec![EarlierSuccess {
                    environment: environment("dev"),
                    seq: 7,
                    hash: hash(0x66),
                    kind: ReceiptKind::Atomic,
                    writer: writer(),
                    at: at(1),
                    actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
                    rehearsal: None,
                    waivers: Vec::new(),
                }],
                ..receipt()
            },
        ),
        (
            "receipt, of a step that was rehearsed in an earlier environment",
            Receipt {
                proofs: vec![EarlierSuccess {
                    environment: environment("dev"),
                    seq: 7,
                    hash: hash(0x66),
                    kind: ReceiptKind::Atomic,
                    writer: writer(),
                    at: at(1),
                    actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
                    rehearsal: Some(EarlierRehearsal {
                        down: rehearsal(),
                        at: at(0),
                        actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
                    }),
                    waivers: Vec::new(),
                }],
                ..receipt()
            },
        ),
        (
            "receipt, rehearsed",
            Receipt {
                kind: ReceiptKind::Rehearsed,
                rehearsal: Some(rehearsal()),
                ..receipt()
            },
        ),
        (
            "receipt, of a step that stood on waivers, its own and an earlier success's",
            Receipt {
                waivers: vec![waiver("order")],
                proofs: vec![EarlierSuccess {
                    environment: environment("dev"),
                    seq: 7,
                    hash: hash(0x66),
                    kind: ReceiptKind::Atomic,
                    writer: writer(),
                    at: at(1),
                    actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
                    rehearsal: None,
                    waivers: vec![waiver("data-loss")],
                }],
                ..receipt()
            },
        ),
        (
            "receipt, through broken glass",
            Receipt {
                debts: vec![debt()],
                ..receipt()
            },
        ),
        (
            "receipt, outside the chain",
            Receipt {
                preview: true,
                ..receipt()
            },
        ),
        (
            "receipt, undone",
            Receipt {
                kind: ReceiptKind::Undone,
                undone: Some(down()),
                ..receipt()
            },
        ),
        (
            "receipt, under a saved plan",
            Receipt {
                release: Some(release()),
                ..receipt()
            },
        ),
        (
            "receipt, under an approved plan",
            Receipt {
                release: Some(approved()),
                policy: Some(hash(0x70)),
                ..receipt()
            },
        ),
    ]
}

fn outcome(ending: Ending) -> Outcome {
    Outcome {
        attempt: attempt(),
        environment: environment("test"),
        migration: migration(),
        outcome: ending,
        receipt: None,
        kind: None,
        settled: false,
        progress: None,
        error: None,
        how: None,
        recorded_at: None,
    }
}

fn release() -> Release {
    Release {
        id: hash(0x77),
        change: Some("CHG-123".to_owned()),
        approvals: Vec::new(),
    }
}

fn approved() -> Release {
    let approval = |approver: &str, number| Approval {
        approver: Actor(approver.to_owned()),
        at: at(8),
        typed_by: None,
        note: None,
        entry: Place {
            writer: writer(),
            number,
        },
    };
    Release {
        approvals: vec![
            approval("bo", 3),
            Approval {
                typed_by: Some(Actor("Ada Lovelace <ada@example.org>".to_owned())),
                note: Some("read all of it".to_owned()),
                ..approval("cy", 4)
            },
        ],
        ..release()
    }
}

fn intent() -> Intent {
    Intent {
        attempt: attempt(),
        environment: environment("test"),
        target: incarnation(),
        migration: migration(),
        blake3: Checksum::of(SCRIPT.as_bytes()),
        sha256: Sha256::of(SCRIPT.as_bytes()),
        receipt: ReceiptKind::Journalled,
        plan: hash(0x44),
        from: None,
        preview: false,
        down: None,
        waivers: Vec::new(),
        release: None,
        policy: None,
        behind: None,
        debt: None,
    }
}

fn resolved(verdict: Verdict, reason: &str) -> Resolved {
    Resolved {
        attempt: attempt(),
        environment: environment("test"),
        migration: migration(),
        verdict,
        reason: reason.to_owned(),
        script: None,
        progress: None,
    }
}

/// One fact of every kind, and of a kind with several shapes each of them.
fn facts() -> Vec<(&'static str, Fact)> {
    let body = receipt().to_body().unwrap();
    let head = Head {
        writer: WriterId::from_bytes([0x0d; 16]),
        number: 41,
        hash: hash(0x22),
    };
    let gate = |gate: &str, migration| RefusedGate {
        gate: gate.to_owned(),
        migration,
    };
    vec![
        (
            "opened, the first of all",
            Fact::Opened(Opened { after: None }),
        ),
        (
            "opened, after a copy",
            Fact::Opened(Opened { after: Some(head) }),
        ),
        (
            "bound",
            Fact::Bound(Bound {
                environment: environment("test"),
                replaces: None,
                lost: Vec::new(),
                target: identity(),
                reason: Some("restored".to_owned()),
            }),
        ),
        ("intent", Fact::Intent(intent())),
        (
            "outcome, succeeded",
            Fact::Outcome(Outcome {
                receipt: Some(ReceiptRef {
                    seq: 2,
                    hash: Receipt::hash_of(&body),
                }),
                kind: Some(ReceiptKind::Atomic),
                ..outcome(Ending::Succeeded)
            }),
        ),
        (
            "outcome, failed",
            Fact::Outcome(Outcome {
                progress: Some(Progress { done: 1, of: 3 }),
                error: Some(Failure {
                    message: "relation \"users\" already exists\nzeile 2: naïve".to_owned(),
                    code: Some("42P07".to_owned()),
                    line: Some(1),
                }),
                ..outcome(Ending::Failed)
            }),
        ),
        ("outcome, unknown", Fact::Outcome(outcome(Ending::Unknown))),
        (
            "outcome, settled as failed",
            Fact::Outcome(Outcome {
                settled: true,
                ..outcome(Ending::Failed)
            }),
        ),
        (
            "absorbed",
            Fact::Absorbed(Absorbed {
                environment: environment("test"),
                hash: Receipt::hash_of(&body),
                body: body.clone(),
                recorded_at: None,
            }),
        ),
        (
            "refused",
            Fact::Refused(Refused {
                verb: "apply".to_owned(),
                environment: environment("prod"),
                plan: hash(0x44),
                gates: vec![gate("identity", None), gate("promotion", Some(migration()))],
            }),
        ),
        (
            "resolved",
            Fact::Resolved(resolved(Verdict::NotApplied, "dropped the index by hand")),
        ),
        (
            "chained",
            Fact::Chained(Chained {
                environments: vec![environment("dev"), environment("test")],
                reason: Some("stage was never used".to_owned()),
                without: Vec::new(),
                over: Vec::new(),
            }),
        ),
        (
            "intent, going on",
            Fact::Intent(Intent {
                from: Some(3),
                ..intent()
            }),
        ),
        (
            "outcome, settled from the journal",
            Fact::Outcome(Outcome {
                settled: true,
                progress: Some(Progress { done: 2, of: 5 }),
                how: Some(How::Journal),
                ..outcome(Ending::Failed)
            }),
        ),
        (
            "outcome, settled by writing the receipt",
            Fact::Outcome(Outcome {
                receipt: Some(ReceiptRef {
                    seq: 2,
                    hash: hash(0x55),
                }),
                kind: Some(ReceiptKind::Journalled),
                settled: true,
                how: Some(How::JournalComplete),
                ..outcome(Ending::Succeeded)
            }),
        ),
        (
            "outcome, applied on a person's word",
            Fact::Outcome(Outcome {
                receipt: Some(ReceiptRef {
                    seq: 2,
                    hash: hash(0x55),
                }),
                kind: Some(ReceiptKind::Resolved),
                settled: true,
                how: Some(How::Receipt),
                ..outcome(Ending::Succeeded)
            }),
        ),
        (
            "resolved, to go on",
            Fact::Resolved(Resolved {
                script: Some(Checksum::of(SCRIPT.as_bytes())),
                progress: Some(Progress { done: 2, of: 5 }),
                ..resolved(Verdict::ContinueAt, "dropped the INVALID index")
            }),
        ),
        (
            "resolved, applied",
            Fact::Resolved(resolved(Verdict::Applied, "ran the rest by hand")),
        ),
        (
            "resolved, superseded",
            Fact::Resolved(resolved(
                Verdict::Superseded,
                "attempt 0a0a of another ledger went on",
            )),
        ),
        (
            "outcome, settled without a trace",
            Fact::Outcome(Outcome {
                settled: true,
                how: Some(How::NoTrace),
                ..outcome(Ending::Failed)
            }),
        ),
        (
            "taken-in",
            Fact::TakenIn(TakenIn {
                environment: environment("test"),
                target: incarnation(),
                migrations: vec![
                    Found {
                        migration: MigrationId::new("20251101000000_init"),
                        kind: ReceiptKind::Prisma,
                        what: "Prisma's row names these very bytes".to_owned(),
                    },
                    Found {
                        migration: migration(),
                        kind: ReceiptKind::Baselined,
                        what: "it was edited after Prisma applied it here".to_owned(),
                    },
                ],
                reason: Some("a comment was added".to_owned()),
            }),
        ),
        (
            "bound, in the place of another",
            Fact::Bound(Bound {
                environment: environment("test"),
                target: identity(),
                reason: Some("refreshed from prod".to_owned()),
                replaces: Some(IncarnationId::from_bytes([0x1d; 16])),
                lost: vec![hash(0x55)],
            }),
        ),
        (
            "intent, outside the chain",
            Fact::Intent(Intent {
                preview: true,
                ..intent()
            }),
        ),
        (
            "chained, without what stood there",
            Fact::Chained(Chained {
                environments: vec![environment("dev"), environment("prod")],
                reason: Some("test is gone".to_owned()),
                without: vec![environment("test")],
                over: vec![Place {
                    writer: writer(),
                    number: 3,
                }],
            }),
        ),
        (
            "believed",
            Fact::Believed(Believed {
                writer: writer(),
                number: 3,
                hash: hash(0x66),
                reason: "the other one is a copy's".to_owned(),
            }),
        ),
        (
            "verified",
            Fact::Verified(Verified {
                environment: environment("prod"),
                target: identity().incarnation,
                receipt: Some(ReceiptRef {
                    seq: 2,
                    hash: hash(0x55),
                }),
                schema: hash(0x77),
                kept: Some(hash(0x78)),
                differences: Some(1),
            }),
        ),
        (
            "rehearsed",
            Fact::Rehearsed(Rehearsed {
                attempt: AttemptId::from_bytes([0x2a; 16]),
                environment: environment("dev"),
                target: identity().incarnation,
                receipt: Some(ReceiptRef {
                    seq: 2,
                    hash: hash(0x55),
                }),
                migration: migration(),
                blake3: Checksum::of(SCRIPT.as_bytes()),
                sha256: Sha256::of(SCRIPT.as_bytes()),
                down_blake3: rehearsal().blake3,
                down_sha256: rehearsal().sha256,
                result: Rehearsal::Lossy,
                stage: Stage::InPlace,
                data: DataMode::Full,
                locked_ms: Some(41),
                found: vec!["lost: public.users.email: other values".to_owned()],
                preview: false,
            }),
        ),
        (
            "backed-up, a file that was restored",
            Fact::BackedUp(BackedUp {
                environment: environment("prod"),
                target: identity().incarnation,
                receipt: Some(ReceiptRef {
                    seq: 2,
                    hash: hash(0x55),
                }),
                taken: at(7),
                what: BackupKind::File {
                    file: "prod-20251104T101200Z-1f2e.dump".to_owned(),
                    size: 4096,
                    blake3: Checksum::of(b"a backup"),
                    sha256: Sha256::of(b"a backup"),
                    made_by: "pg_dump 15.18".to_owned(),
                    verified: Some(VerifiedBackup {
                        at: at(8),
                        data: DataMode::Sample,
                        tables: 3,
                        rows: 1204,
                    }),
                    bad: None,
                },
            }),
        ),
        (
            "backed-up, attested",
            Fact::BackedUp(BackedUp {
                environment: environment("prod"),
                target: identity().incarnation,
                receipt: None,
                taken: at(7),
                what: BackupKind::Attested {
                    place: "the dashboard of the host".to_owned(),
                },
            }),
        ),
        (
            "restored",
            Fact::Restored(Restored {
                environment: environment("prod"),
                target: identity().incarnation,
                file: "prod-20251104T101200Z-1f2e.dump".to_owned(),
                blake3: Checksum::of(b"a backup"),
                into: "restored".to_owned(),
            }),
        ),
        (
            "waived",
            Fact::Waived(Waived {
                environment: environment("test"),
                gate: "order".to_owned(),
                migration: migration(),
                blake3: Checksum::of(SCRIPT.as_bytes()),
                down: None,
                reason: "the hotfix goes first".to_owned(),
            }),
        ),
        (
            "waived, of the reversal that stood there",
            Fact::Waived(Waived {
                environment: environment("test"),
                gate: "rehearsal".to_owned(),
                migration: migration(),
                blake3: Checksum::of(SCRIPT.as_bytes()),
                down: Some(Checksum::of(b"DROP TABLE users;")),
                reason: "no time to rehearse".to_owned(),
            }),
        ),
        (
            "intent, of a plan that stands on a waiver",
            Fact::Intent(Intent {
                waivers: vec![waiver("order")],
                ..intent()
            }),
        ),
        (
            "intent, through broken glass",
            Fact::Intent(Intent {
                debt: Some(debt()),
                ..intent()
            }),
        ),
        (
            "intent, beside a down.sql",
            Fact::Intent(Intent {
                down: Some(down()),
                ..intent()
            }),
        ),
        (
            "intent, to undo",
            Fact::Intent(Intent {
                receipt: ReceiptKind::Undone,
                down: Some(down()),
                ..intent()
            }),
        ),
        (
            "reverted",
            Fact::Reverted(Reverted {
                migration: MigrationId::new("20251104101200_rollback_add_users"),
                reverts: migration(),
                blake3: Checksum::of(b"DROP TABLE a;"),
                sha256: Sha256::of(b"DROP TABLE a;"),
                reason: "nobody can log in".to_owned(),
                incident: None,
            }),
        ),
        (
            "reverted, in an emergency",
            Fact::Reverted(Reverted {
                migration: MigrationId::new("20251104101200_rollback_add_users"),
                reverts: migration(),
                blake3: Checksum::of(b"DROP TABLE a;"),
                sha256: Sha256::of(b"DROP TABLE a;"),
                reason: "nobody can log in".to_owned(),
                incident: Some(IncidentId::from_bytes([0x5e; 16])),
            }),
        ),
        (
            "emergency",
            Fact::Emergency(Emergency {
                incident: IncidentId::from_bytes([0x5e; 16]),
                migration: migration(),
                environment: environment("prod"),
                reason: "nobody can log in".to_owned(),
            }),
        ),
        (
            "intent, under a saved plan",
            Fact::Intent(Intent {
                release: Some(release()),
                ..intent()
            }),
        ),
        (
            "broke-glass",
            Fact::BrokeGlass(BrokeGlass {
                environment: environment("prod"),
                plan: hash(0x44),
                incident: debt().incident,
                reason: debt().reason,
                skipped: debt().skipped,
                migrations: vec![migration()],
                review_by: at(9),
            }),
        ),
        (
            "post-reviewed",
            Fact::PostReviewed(PostReviewed {
                environment: environment("prod"),
                incident: debt().incident,
                attempts: vec![attempt()],
                note: "it held, and test runs it now".to_owned(),
            }),
        ),
        (
            "approved",
            Fact::Approved(Approved {
                environment: environment("prod"),
                plan: hash(0x77),
                approver: Actor("bo".to_owned()),
                note: Some("read all of it".to_owned()),
            }),
        ),
        (
            "policy",
            Fact::Policy(PolicySeen {
                environment: environment("prod"),
                policy: hash(0x70),
                was: words(&[("data_loss", "refuse"), ("never_waive", "promotion")]),
                is: words(&[
                    ("approvals", "2, none by an author"),
                    ("data_loss", "refuse"),
                    ("never_waive", "promotion"),
                ]),
            }),
        ),
        (
            "intent, under an approved plan",
            Fact::Intent(Intent {
                release: Some(approved()),
                policy: Some(hash(0x70)),
                ..intent()
            }),
        ),
        (
            "intent, queued behind another",
            Fact::Intent(Intent {
                behind: Some(AttemptId::from_bytes([0xa6; 16])),
                ..intent()
            }),
        ),
        (
            "outcome, not run",
            Fact::Outcome(Outcome {
                settled: true,
                how: Some(How::NotRun),
                ..outcome(Ending::Failed)
            }),
        ),
        (
            "outcome, with the database's clock",
            Fact::Outcome(Outcome {
                receipt: Some(ReceiptRef {
                    seq: 2,
                    hash: Receipt::hash_of(&body),
                }),
                kind: Some(ReceiptKind::Atomic),
                recorded_at: Some(at(61)),
                ..outcome(Ending::Succeeded)
            }),
        ),
        (
            "absorbed, with the database's clock",
            Fact::Absorbed(Absorbed {
                environment: environment("test"),
                hash: Receipt::hash_of(&body),
                body,
                recorded_at: Some(at(62)),
            }),
        ),
    ]
}

fn words(words: &[(&str, &str)]) -> BTreeMap<String, String> {
    let words = words.iter();
    words
        .map(|(key, word)| ((*key).to_owned(), (*word).to_owned()))
        .collect()
}

fn debt() -> Debt {
    Debt {
        incident: IncidentName("INC-7".to_owned()),
        reason: "nobody can log in".to_owned(),
        skipped: vec![
            RefusedGate {
                gate: "promotion".to_owned(),
                migration: Some(migration()),
            },
            RefusedGate {
                gate: "freeze".to_owned(),
                migration: None,
            },
        ],
        owes: vec![environment("dev"), environment("test")],
        review_by: at(9),
    }
}

fn waiver(gate: &str) -> Waiver {
    Waiver {
        gate: gate.to_owned(),
        migration: migration(),
        reason: "the hotfix goes first".to_owned(),
        actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
        at: at(2),
        entry: Place {
            writer: writer(),
            number: 3,
        },
    }
}

fn down() -> DownBytes {
    DownBytes {
        blake3: Checksum::of(b"DROP TABLE a;"),
        sha256: Sha256::of(b"DROP TABLE a;"),
    }
}

fn rehearsal() -> RehearsedDown {
    RehearsedDown {
        blake3: Checksum::of(b"DROP TABLE a;"),
        sha256: Sha256::of(b"DROP TABLE a;"),
        result: Rehearsal::Lossy,
        stage: Stage::InPlace,
        data: DataMode::Full,
    }
}

/// The entries: the first is a writer's first; persons and CI runs, with and without git, take turns.
fn entries() -> Vec<(&'static str, Entry)> {
    let host = || Some("lovelace".to_owned());
    let run = || Some("https://ci.example.org/runs/7".to_owned());
    (1..)
        .zip(facts())
        .map(|(number, (name, fact))| {
            let (origin, git) = match number % 3 {
                0 => (
                    Origin::Ci {
                        system: "gitlab".to_owned(),
                        run: run(),
                    },
                    None,
                ),
                1 => (Origin::Person { host: None }, Some((0xc0, true))),
                _ => (Origin::Person { host: host() }, Some((0xc1, false))),
            };
            let commit = |n: u8| tollgate::digest::hex(&[n; 20]);
            let entry = Entry {
                writer: writer(),
                number,
                prev: (number > 1).then(|| hash(u8::try_from(number).unwrap())),
                at: at(i64::try_from(number).unwrap()),
                by: Provenance {
                    actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
                    origin,
                    git: git.map(|(n, dirty)| GitState {
                        commit: commit(n),
                        dirty,
                    }),
                    tool: "tollgate 0.1.0".to_owned(),
                }
                .into(),
                fact,
            };
            (name, entry)
        })
        .collect()
}

/// A plan of one step and one refusal on a target that was bound and holds a receipt.
fn plan_id() -> (String, ChainHash) {
    let mut view = View::default();
    let by = || Provenance {
        actor: Actor("ada".to_owned()),
        origin: Origin::Person { host: None },
        git: None,
        tool: "tollgate 0.1.0".to_owned(),
    };
    let body = Receipt {
        migration: MigrationId::new("20251101000000_init"),
        ..receipt()
    };
    let body = body.to_body().unwrap();
    let head = Receipt::hash_of(&body);
    let bound = Bound {
        environment: environment("test"),
        target: identity(),
        reason: None,
        replaces: None,
        lost: Vec::new(),
    };
    let absorbed = Absorbed {
        environment: environment("test"),
        hash: head,
        body,
        recorded_at: None,
    };
    for (number, fact) in (1..).zip([Fact::Bound(bound), Fact::Absorbed(absorbed)]) {
        view.step(&Entry {
            writer: writer(),
            number,
            prev: None,
            at: at(0),
            by: by().into(),
            fact,
        });
    }
    let (init, add) = (MigrationId::new("20251101000000_init"), migration());
    let file = |migration| FileFacts {
        migration,
        checksum: Checksum::of(SCRIPT.as_bytes()),
        sha256: Sha256::of(SCRIPT.as_bytes()),
        script: SCRIPT,
        down: None,
    };
    let policy = Policy {
        environments: ["dev", "test"]
            .map(|name| Environment::ordinary(environment(name)))
            .to_vec(),
    };
    let made = plan(&Inputs {
        approving: tollgate::planner::Approving::Unsaved,
        folder: "migrations",
        prisma: None,
        environment: &environment("test"),
        engine: Engine::Sqlite,
        policy: &policy,
        files: &[file(&init), file(&add)],
        view: &view,
        kept: &BTreeSet::new(),
        to: None,
        live: None,
        now: at(0),
        in_use: &BTreeSet::new(),
    });
    // Written out by hand, so that the vector does not come from the code that it checks.
    let digested = format!(
        "{{\"v\":1,\"environment\":\"test\",\"target\":\"{}\",\"head\":{{\"seq\":2,\"hash\":\"{head}\"}},\
         \"steps\":[[\"20251103170000_add_users\",\"{}\",\"atomic\"]],\
         \"refusals\":[[\"promotion\",\"20251103170000_add_users\"]],\"waivers\":[],\
         \"policy\":{{\"environments\":[{{\"name\":\"dev\"}},{{\"name\":\"test\"}}]}}}}",
        incarnation(),
        Checksum::of(SCRIPT.as_bytes()),
    );
    (digested, made.id)
}

fn saved_plan() -> (String, ChainHash) {
    let content = Content {
        plan: hash(0x44),
        environment: environment("test"),
        made: at(3),
        by: Actor("Ada Lovelace <ada@example.org>".to_owned()),
        tool: "tollgate 0.1.0".to_owned(),
        git: None,
        expires: Some(at(4)),
        change: Some("CHG-123".to_owned()),
        target: Some(identity()),
        head: Some(ReceiptRef {
            seq: 2,
            hash: hash(0x22),
        }),
        policy: SavedPolicy {
            digest: hash(0x55),
            words: [("soak".to_owned(), "1d".to_owned())].into(),
        },
        steps: vec![SavedStep {
            migration: migration(),
            checksum: Checksum::of(SCRIPT.as_bytes()),
            sha256: Sha256::of(SCRIPT.as_bytes()),
            kind: ReceiptKind::Atomic,
            standing: 0,
            notes: vec!["a note".to_owned()],
            does: vec![SavedDeed {
                kind: "locks".to_owned(),
                what: "line 1: a".to_owned(),
            }],
            proofs: vec![SavedProof {
                environment: environment("dev"),
                at: at(1),
                by: Actor("Ada Lovelace <ada@example.org>".to_owned()),
                receipt: ReceiptRef {
                    seq: 7,
                    hash: hash(0x66),
                },
                writer: writer(),
            }],
            authors: vec!["Ada Lovelace <ada@example.org>".to_owned()],
            script: SCRIPT.to_owned(),
            down: Some(SavedDown {
                checksum: Checksum::of(b"DROP TABLE a;"),
                script: "DROP TABLE a;".to_owned(),
            }),
        }],
        gates: vec![SavedAnswer {
            gate: "soak".to_owned(),
            migration: Some(migration()),
            state: "met".to_owned(),
            how: vec!["it stood in dev for 2 d".to_owned()],
        }],
        waivers: vec![waiver("order")],
    };
    let body = serde_json::to_string(&content).unwrap();
    let saved = SavedPlan {
        schema: SCHEMA.to_owned(),
        id: ChainHash::of(SAVED_PLAN_CONTEXT, body.as_bytes()),
        content,
    };
    // The file's form, too, is fixed.
    assert_eq!(SavedPlan::read(saved.render().as_bytes()).unwrap(), saved);
    (body, saved.id)
}

/// What the code makes today, in the order of [`VECTORS`].
fn made() -> Vec<(&'static str, &'static str, String, ChainHash)> {
    let mut made: Vec<_> = entries()
        .into_iter()
        .map(|(name, entry)| {
            let body = entry.to_body().unwrap();
            let hash = Entry::hash_of(body.as_bytes());
            (name, ENTRY_CONTEXT, body, hash)
        })
        .collect();
    for (name, receipt) in receipts() {
        let body = receipt.to_body().unwrap();
        let hash = Receipt::hash_of(&body);
        made.push((name, RECEIPT_CONTEXT, body, hash));
    }
    let (digested, id) = plan_id();
    made.push(("plan id", PLAN_CONTEXT, digested, id));
    let (content, id) = saved_plan();
    made.push(("saved plan", SAVED_PLAN_CONTEXT, content, id));
    made
}

#[test]
fn every_byte_and_every_hash_is_what_it_was() {
    let made = made();
    let mut now = String::new();
    for (name, context, body, hash) in &made {
        writeln!(
            now,
            "    ({name:?}, {context:?}, r#\"{body}\"#, \"{hash}\"),"
        )
        .unwrap();
    }
    assert_eq!(made.len(), VECTORS.len(), "the code makes:\n{now}");
    for ((name, context, body, hash), vector) in made.iter().zip(VECTORS) {
        assert_eq!(
            (*name, *context, body.as_str(), hash.to_string().as_str()),
            *vector,
            "a golden vector may never change"
        );
    }
}

#[test]
fn every_kind_of_entry_has_a_vector() {
    let kinds: BTreeSet<&str> = facts().iter().map(|(_, fact)| fact.kind()).collect();
    let every = [
        "opened",
        "bound",
        "intent",
        "outcome",
        "absorbed",
        "refused",
        "resolved",
        "chained",
        "taken-in",
        "believed",
        "verified",
        "rehearsed",
        "backed-up",
        "restored",
        "reverted",
        "emergency",
        "waived",
        "broke-glass",
        "post-reviewed",
        "approved",
        "policy",
    ];
    assert_eq!(kinds, BTreeSet::from(every));
}

#[test]
fn the_hashes_are_what_blake3_itself_makes_of_the_bytes() {
    for (name, context, body, hash) in VECTORS {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&u64::try_from(body.len()).unwrap().to_le_bytes());
        hasher.update(body.as_bytes());
        assert_eq!(hasher.finalize().to_hex().as_str(), *hash, "{name}");
    }
}

#[test]
fn the_bytes_read_back_as_the_entries_that_they_were_made_of() {
    for ((name, entry), (_, _, body, _)) in entries().into_iter().zip(VECTORS) {
        assert_eq!(Entry::from_body(body), Ok(entry), "{name}");
    }
    for (name, receipt) in receipts() {
        let vector = VECTORS.iter().find(|(other, ..)| *other == name);
        let (_, _, body, _) = vector.unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(body).unwrap(), receipt);
    }
}

#[test]
fn a_field_more_a_field_less_and_another_version_are_refused() {
    for (name, context, body, _) in VECTORS
        .iter()
        .filter(|(_, context, ..)| *context != PLAN_CONTEXT)
    {
        let reads = |body: &str| match *context {
            ENTRY_CONTEXT => Entry::from_body(body).is_ok(),
            SAVED_PLAN_CONTEXT => serde_json::from_str::<Content>(body).is_ok(),
            _ => serde_json::from_str::<Receipt>(body).is_ok(),
        };
        assert!(reads(body), "{name}");
        assert!(
            !reads(&body.replacen('{', "{\"more\":1,", 1)),
            "{name}: a field more"
        );
        assert!(
            !reads(&body.replacen("\"actor\":", "\"actors\":", 1).replacen(
                "\"made\":",
                "\"mades\":",
                1
            )),
            "{name}: a field less"
        );
        assert!(!reads(&format!("{body}x")), "{name}: a byte more");
        assert!(!reads(&body[..body.len() - 1]), "{name}: a byte less");
    }
    let (_, _, body, _) = VECTORS[0];
    assert!(Entry::from_body(&body.replacen("\"v\":1", "\"v\":2", 1)).is_err());
    assert!(Entry::from_body(&body.replacen("opened", "closed", 1)).is_err());
}

/// The section of the page, as it must stand there.
fn section() -> String {
    let mut text = "## Golden vectors\n\n".to_owned();
    text.push_str("Frozen: `tests/golden.rs` holds the code to them, and this page to the code.\n");
    for (name, context, body, hash) in VECTORS {
        write!(
            text,
            "\n**{name}**, under `{context}`:\n\n```text\n{body}\n{hash}\n```\n"
        )
        .unwrap();
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test reads the page")]
fn the_page_holds_exactly_these_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/LEDGER.md");
    let page = std::fs::read_to_string(path).unwrap();
    let begins = page.find("## Golden vectors\n").unwrap_or(page.len());
    let ends = page[begins..]
        .find("\n## ")
        .map_or(page.len(), |next| begins + next + 1);
    let found = page[begins..ends].trim_end();
    assert_eq!(found, section().trim_end(), "write this:\n\n{}", section());
}
