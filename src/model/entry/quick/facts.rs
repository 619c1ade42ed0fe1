//! The facts that a long ledger is made of, in the very form in which they are written: attempts and their ends,
//! targets that were met and looked at, refusals.
//!
//! Only the plain ones: where a text has an escape, or a field stands that is rarely there, nothing is read here.

use super::{Last, Rest};
use crate::digest::{ChainHash, Checksum, Sha256};
use crate::model::entry::{
    Bound, Ending, Engine, Fact, Failure, Intent, Outcome, Progress, ReceiptRef, Refused,
    RefusedGate, TargetIdentity, Verified,
};
use crate::model::{AttemptId, DownBytes, IncarnationId, ReceiptKind};

/// The fact; `None` where it is of another kind, or does not stand exactly so.
pub(super) fn read(kind: &str, payload: &str, last: &mut Last) -> Option<Fact> {
    let mut rest = Rest(payload);
    let fact = match kind {
        "intent" => Fact::Intent(intent(&mut rest, last)?),
        "outcome" => Fact::Outcome(outcome(&mut rest, last)?),
        "verified" => Fact::Verified(verified(&mut rest, last)?),
        "refused" => Fact::Refused(refused(&mut rest, last)?),
        "bound" => Fact::Bound(bound(&mut rest, last)?),
        _ => return None,
    };
    (rest.0 == "}").then_some(fact)
}

fn intent(rest: &mut Rest<'_>, last: &mut Last) -> Option<Intent> {
    rest.skip("{\"attempt\":")?;
    let attempt = rest.id().map(AttemptId::from_bytes)?;
    rest.skip(",\"environment\":")?;
    let environment = last.environment(rest.text()?)?;
    rest.skip(",\"target\":")?;
    let target = rest.id().map(IncarnationId::from_bytes)?;
    rest.skip(",\"migration\":")?;
    let migration = last.migration(rest.text()?);
    rest.skip(",\"blake3\":")?;
    let blake3 = rest.checksum()?;
    rest.skip(",\"sha256\":")?;
    let sha256 = rest.digest().map(Sha256::from_bytes)?;
    rest.skip(",\"receipt\":")?;
    let receipt = rest.kind()?;
    rest.skip(",\"plan\":")?;
    let plan = rest.chain_hash()?;
    let preview = rest.skip(",\"preview\":true").is_some();
    let down = match rest.skip(",\"down\":{\"blake3\":") {
        None => None,
        Some(()) => {
            let blake3 = rest.checksum()?;
            rest.skip(",\"sha256\":")?;
            let sha256 = rest.digest().map(Sha256::from_bytes)?;
            rest.skip("}")?;
            Some(DownBytes { blake3, sha256 })
        }
    };
    let policy = match rest.skip(",\"policy\":") {
        None => None,
        Some(()) => Some(rest.chain_hash()?),
    };
    let behind = match rest.skip(",\"behind\":") {
        None => None,
        Some(()) => Some(AttemptId::from_bytes(rest.id()?)),
    };
    Some(Intent {
        attempt,
        environment,
        target,
        migration,
        blake3,
        sha256,
        receipt,
        plan,
        from: None,
        preview,
        down,
        waivers: Vec::new(),
        release: None,
        debt: None,
        policy,
        behind,
    })
}

fn outcome(rest: &mut Rest<'_>, last: &mut Last) -> Option<Outcome> {
    rest.skip("{\"attempt\":")?;
    let attempt = rest.id().map(AttemptId::from_bytes)?;
    rest.skip(",\"environment\":")?;
    let environment = last.environment(rest.text()?)?;
    rest.skip(",\"migration\":")?;
    let migration = last.migration(rest.text()?);
    rest.skip(",\"outcome\":")?;
    let outcome = match rest.text()? {
        "succeeded" => Ending::Succeeded,
        "failed" => Ending::Failed,
        "unknown" => Ending::Unknown,
        _ => return None,
    };
    rest.skip(",\"receipt\":")?;
    let receipt = rest.or_null(Rest::receipt)?;
    rest.skip(",\"kind\":")?;
    let kind = rest.or_null(Rest::kind)?;
    rest.skip(",\"settled\":")?;
    let settled = match rest.skip("false") {
        Some(()) => false,
        None => rest.skip("true").map(|()| true)?,
    };
    rest.skip(",\"progress\":")?;
    let progress = rest.or_null(|rest| {
        rest.skip("{\"done\":")?;
        let done = rest.number()?;
        rest.skip(",\"of\":")?;
        let of = rest.number()?;
        rest.skip("}")?;
        Some(Progress { done, of })
    })?;
    rest.skip(",\"error\":")?;
    let error = rest.or_null(|rest| {
        rest.skip("{\"message\":")?;
        let message = rest.text()?.to_owned();
        rest.skip(",\"code\":")?;
        let code = rest.or_null(Rest::text)?.map(str::to_owned);
        rest.skip(",\"line\":")?;
        let line = rest.or_null(Rest::number)?;
        rest.skip("}")?;
        Some(Failure {
            message,
            code,
            line,
        })
    })?;
    let recorded_at = match rest.skip(",\"recorded_at\":") {
        None => None,
        Some(()) => Some(rest.text()?.parse().ok()?),
    };
    Some(Outcome {
        attempt,
        environment,
        migration,
        outcome,
        receipt,
        kind,
        settled,
        progress,
        error,
        how: None,
        recorded_at,
    })
}

fn verified(rest: &mut Rest<'_>, last: &mut Last) -> Option<Verified> {
    rest.skip("{\"environment\":")?;
    let environment = last.environment(rest.text()?)?;
    rest.skip(",\"target\":")?;
    let target = rest.id().map(IncarnationId::from_bytes)?;
    rest.skip(",\"receipt\":")?;
    let receipt = rest.or_null(Rest::receipt)?;
    rest.skip(",\"schema\":")?;
    let schema = rest.chain_hash()?;
    rest.skip(",\"kept\":")?;
    let kept = rest.or_null(Rest::chain_hash)?;
    rest.skip(",\"differences\":")?;
    let differences = rest.or_null(Rest::number)?;
    Some(Verified {
        environment,
        target,
        receipt,
        schema,
        kept,
        differences,
    })
}

fn refused(rest: &mut Rest<'_>, last: &mut Last) -> Option<Refused> {
    rest.skip("{\"verb\":")?;
    let verb = rest.text()?.to_owned();
    rest.skip(",\"environment\":")?;
    let environment = last.environment(rest.text()?)?;
    rest.skip(",\"plan\":")?;
    let plan = rest.chain_hash()?;
    rest.skip(",\"gates\":[")?;
    let mut gates = Vec::new();
    if rest.skip("]").is_none() {
        loop {
            rest.skip("{\"gate\":")?;
            let gate = rest.text()?.to_owned();
            rest.skip(",\"migration\":")?;
            let migration = rest.or_null(Rest::text)?;
            let migration = migration.map(|migration| last.migration(migration));
            rest.skip("}")?;
            gates.push(RefusedGate { gate, migration });
            if rest.skip(",").is_none() {
                break;
            }
        }
        rest.skip("]")?;
    }
    Some(Refused {
        verb,
        environment,
        plan,
        gates,
    })
}

fn bound(rest: &mut Rest<'_>, last: &mut Last) -> Option<Bound> {
    rest.skip("{\"environment\":")?;
    let environment = last.environment(rest.text()?)?;
    rest.skip(",\"target\":{\"incarnation\":")?;
    let incarnation = rest.id().map(IncarnationId::from_bytes)?;
    rest.skip(",\"engine\":")?;
    let engine = match rest.text()? {
        "postgresql" => Engine::Postgresql,
        "sqlite" => Engine::Sqlite,
        _ => return None,
    };
    rest.skip(",\"system\":")?;
    let system = rest.or_null(Rest::text)?.map(str::to_owned);
    rest.skip(",\"database\":")?;
    let database = rest.or_null(Rest::number)?;
    let database = database.map(u32::try_from).transpose().ok()?;
    rest.skip(",\"name\":")?;
    let name = rest.text()?.to_owned();
    rest.skip("},\"reason\":")?;
    let reason = rest.or_null(Rest::text)?.map(str::to_owned);
    let replaces = match rest.skip(",\"replaces\":") {
        None => None,
        Some(()) => Some(IncarnationId::from_bytes(rest.id()?)),
    };
    Some(Bound {
        environment,
        target: TargetIdentity {
            incarnation,
            engine,
            system,
            database,
            name,
        },
        reason,
        replaces,
        lost: Vec::new(),
    })
}

impl<'a> Rest<'a> {
    /// A text without escapes; JSON allows no control character in one.
    fn text(&mut self) -> Option<&'a str> {
        self.skip("\"")?;
        let ends = |byte: u8| byte == b'"' || byte == b'\\' || byte < b' ';
        let length = self.0.bytes().position(ends)?;
        let text = self.take(length)?;
        self.skip("\"")?;
        Some(text)
    }

    /// 32 hexadecimal digits.
    fn id(&mut self) -> Option<[u8; 16]> {
        self.skip("\"")?;
        let id = self.digits()?;
        self.skip("\"")?;
        Some(id)
    }

    /// 64 hexadecimal digits.
    fn digest(&mut self) -> Option<[u8; 32]> {
        self.skip("\"")?;
        let digest = self.digits()?;
        self.skip("\"")?;
        Some(digest)
    }

    fn chain_hash(&mut self) -> Option<ChainHash> {
        self.digest().map(ChainHash::from_bytes)
    }

    fn checksum(&mut self) -> Option<Checksum> {
        self.skip("\"blake3:")?;
        let checksum = self.digits()?;
        self.skip("\"")?;
        Some(Checksum::from_bytes(checksum))
    }

    fn receipt(&mut self) -> Option<ReceiptRef> {
        self.skip("{\"seq\":")?;
        let seq = self.number()?;
        self.skip(",\"hash\":")?;
        let hash = self.chain_hash()?;
        self.skip("}")?;
        Some(ReceiptRef { seq, hash })
    }

    fn kind(&mut self) -> Option<ReceiptKind> {
        Some(match self.text()? {
            "atomic" => ReceiptKind::Atomic,
            "journalled" => ReceiptKind::Journalled,
            "resolved" => ReceiptKind::Resolved,
            "prisma" => ReceiptKind::Prisma,
            "baselined" => ReceiptKind::Baselined,
            "rehearsed" => ReceiptKind::Rehearsed,
            "undone" => ReceiptKind::Undone,
            _ => return None,
        })
    }

    fn or_null<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.skip("null") {
            Some(()) => Some(None),
            None => read(self).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each kind that is read here, with everything that may stand in it.
    fn plain() -> Vec<(&'static str, String)> {
        let id = "0123456789abcdef0123456789abcdef";
        let hash = format!("{id}{id}");
        let intent = format!(
            r#"{{"attempt":"{id}","environment":"dev","target":"{id}","migration":"2025_é","blake3":"blake3:{hash}","sha256":"{hash}","receipt":"atomic","plan":"{hash}""#
        );
        let more = format!(
            r#","preview":true,"down":{{"blake3":"blake3:{hash}","sha256":"{hash}"}},"policy":"{hash}","behind":"{id}"}}"#
        );
        let outcome =
            format!(r#"{{"attempt":"{id}","environment":"dev","migration":"2025_é","outcome":"#);
        let receipt = format!(r#"{{"seq":18446744073709551615,"hash":"{hash}"}}"#);
        let of = r#"{"done":0,"of":10}"#;
        let error = r#"{"message":"no é","code":"42P07","line":7}"#;
        let silent = r#"{"message":"","code":null,"line":null}"#;
        let at = "2025-11-04T09:53:21.007Z";
        let verified = format!(r#"{{"environment":"dev","target":"{id}","receipt":"#);
        let refused = format!(r#"{{"verb":"apply","environment":"dev","plan":"{hash}","gates":"#);
        let gates = r#"[{"gate":"order","migration":null},{"gate":"debt","migration":"2025_é"}]}"#;
        let bound = format!(r#"{{"environment":"dev","target":{{"incarnation":"{id}","engine":"#);
        vec![
            ("intent", format!("{intent}}}")),
            ("intent", format!("{intent}{more}")),
            (
                "outcome",
                format!(
                    r#"{outcome}"succeeded","receipt":{receipt},"kind":"journalled","settled":true,"progress":null,"error":null,"recorded_at":"{at}"}}"#
                ),
            ),
            (
                "outcome",
                format!(
                    r#"{outcome}"failed","receipt":null,"kind":null,"settled":false,"progress":{of},"error":{error}}}"#
                ),
            ),
            (
                "outcome",
                format!(
                    r#"{outcome}"unknown","receipt":null,"kind":null,"settled":false,"progress":null,"error":{silent}}}"#
                ),
            ),
            (
                "verified",
                format!(r#"{verified}null,"schema":"{hash}","kept":null,"differences":null}}"#),
            ),
            (
                "verified",
                format!(
                    r#"{verified}{receipt},"schema":"{hash}","kept":"{hash}","differences":3}}"#
                ),
            ),
            ("refused", format!("{refused}[]}}")),
            ("refused", format!("{refused}{gates}")),
            (
                "bound",
                format!(
                    r#"{bound}"sqlite","system":null,"database":null,"name":"dev.db"}},"reason":null}}"#
                ),
            ),
            (
                "bound",
                format!(
                    r#"{bound}"postgresql","system":"73","database":4294967295,"name":"shop"}},"reason":"moved","replaces":"{id}"}}"#
                ),
            ),
        ]
    }

    #[test]
    fn what_is_plain_is_read_here_and_as_the_longer_way_reads_it() {
        let mut last = Last::default();
        for (kind, payload) in plain() {
            let long = Fact::read(kind, &payload);
            assert!(long.is_ok(), "{payload}");
            for _ in 0..2 {
                let quick = read(kind, &payload, &mut last);
                assert_eq!(quick, long.clone().ok(), "{payload}");
            }
        }
    }

    /// Whatever else stands at any place: what is read here is what the longer way reads.
    #[test]
    fn nothing_is_read_here_that_the_longer_way_reads_otherwise() {
        let others = [
            "", "\"", "\\", "\\u0041", "\u{1}", "\n", "\u{7f}", " ", "0", "9", "-", "a", "A", "g",
            "é", ",", ":", "}", "]", "{", "null",
        ];
        let (mut read_here, mut left) = (0, 0);
        for (kind, payload) in plain() {
            for (place, one) in payload.char_indices() {
                for other in others {
                    for end in [place, place + one.len_utf8()] {
                        let altered = format!("{}{other}{}", &payload[..place], &payload[end..]);
                        let Some(quick) = read(kind, &altered, &mut Last::default()) else {
                            left += 1;
                            continue;
                        };
                        assert_eq!(Ok(quick), Fact::read(kind, &altered), "{altered}");
                        read_here += 1;
                    }
                }
            }
            assert_eq!(read("waived", &payload, &mut Last::default()), None);
            assert_eq!(read("nothing", &payload, &mut Last::default()), None);
        }
        assert!(read_here > 1000 && left > 1000, "{read_here} {left}");
    }

    #[test]
    fn what_is_remembered_is_taken_only_where_it_is_named() {
        let mut last = Last::default();
        let names = [
            "dev", "prod", "ci", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
        ];
        for round in 0..3 {
            for (kind, payload) in plain() {
                for name in names {
                    let here = format!("\"environment\":\"{name}\"");
                    let other = payload
                        .replace("\"environment\":\"dev\"", &here)
                        .replace("2025_é", &format!("2025_{name}_{round}"));
                    let long = Fact::read(kind, &other).ok();
                    assert!(long.is_some(), "{other}");
                    assert_eq!(read(kind, &other, &mut last), long, "{other}");
                }
            }
        }
    }
}
