//! The manifest of a backup: what stands beside its file, and says what the file must be.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::part;
use crate::digest::{ChainHash, Checksum, Sha256};
use crate::model::data::TableData;
use crate::model::entry::{Engine, ReceiptRef, TargetIdentity, VerifiedBackup};
use crate::model::{Data, DataMode, EnvironmentName, Schema, SchemaObject, Timestamp};
use crate::targets::backup::new_file;
use crate::workflows::WorkflowError;

/// The version of the document.
const SCHEMA: &str = "tollgate/backup-manifest/v1";

/// What a manifest says. It holds counts, hashes and definitions; never a row, and nothing of how the
/// target is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `tollgate/backup-manifest/v1`.
    pub(super) schema: String,
    /// The name of the file beside it.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// BLAKE3 of its bytes.
    pub blake3: Checksum,
    /// The environment.
    pub environment: EnvironmentName,
    /// The target's identity.
    pub target: TargetIdentity,
    /// The newest receipt that stood there; `None` where there was none.
    pub receipt: Option<ReceiptRef>,
    /// The kind of database.
    pub engine: Engine,
    /// The version of the server, or of the library.
    pub server: String,
    /// What wrote the file.
    pub made_by: String,
    /// The moment that it is of.
    pub begun: Timestamp,
    /// When it was complete.
    pub ended: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The digest of the schema as it stood.
    pub schema_digest: ChainHash,
    /// The objects of that schema: kind, name and definition.
    objects: Vec<(String, String, String)>,
    /// What stood in the tables, where it was looked at.
    data: Option<Counted>,
    /// Where the file was restored and compared with its source.
    pub verified: Option<VerifiedBackup>,
    /// What that did not compare, a clause each.
    pub not_compared: Vec<String>,
    /// What was found instead, where it is not good.
    pub failed: Option<String>,
}

/// What stood in the tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    mode: DataMode,
    tables: BTreeMap<String, Table>,
}

/// What stood in one table, as [`TableData`] has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rows: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<String, String>,
}

/// What there is to say of the source, besides its file.
pub(super) struct Source {
    pub(super) schema: Schema,
    pub(super) data: Option<(DataMode, Data)>,
}

/// Why there is no manifest to go by.
#[derive(Debug)]
pub(super) enum NoManifest {
    /// It is not there.
    Missing,
    /// It cannot be read.
    Unreadable(std::io::Error),
    /// It is not what was written, or no manifest at all.
    Altered(String),
}

impl Manifest {
    /// Sets what the name and the instants do not tell.
    pub(super) fn describe(&mut self, source: &Source) {
        SCHEMA.clone_into(&mut self.schema);
        self.schema_digest = source.schema.digest();
        let objects = source.schema.objects().iter();
        self.objects = objects
            .map(|one| (one.kind.clone(), one.name.clone(), one.definition.clone()))
            .collect();
        self.data = source.data.as_ref().map(|(mode, data)| Counted {
            mode: *mode,
            tables: data
                .tables
                .iter()
                .map(|(name, table)| (name.clone(), Table::of(table)))
                .collect(),
        });
    }

    /// A manifest that [`Self::describe`] completes.
    pub(super) fn new(
        file: String,
        environment: EnvironmentName,
        target: TargetIdentity,
        [begun, ended]: [Timestamp; 2],
        taken: &crate::targets::backup::TakenBackup,
    ) -> Self {
        let took = ended.unix_millis().saturating_sub(begun.unix_millis());
        Self {
            schema: SCHEMA.to_owned(),
            file,
            size: taken.written.size,
            sha256: taken.written.sha256,
            blake3: taken.written.blake3,
            environment,
            engine: target.engine,
            target,
            receipt: taken.receipt,
            server: taken.server.clone(),
            made_by: taken.made_by.clone(),
            begun,
            ended,
            duration_ms: u64::try_from(took).unwrap_or(0),
            schema_digest: taken.schema.digest(),
            objects: Vec::new(),
            data: None,
            verified: None,
            not_compared: Vec::new(),
            failed: None,
        }
    }

    /// The schema and the data as they stood; `None` where the objects are not those of the digest.
    pub(super) fn source(&self) -> Option<Source> {
        let objects = self.objects.iter().map(|(kind, name, definition)| {
            let mut object = SchemaObject::new(kind, name);
            object.definition.clone_from(definition);
            object
        });
        let schema = Schema::new(objects.collect()).ok()?;
        let data = self.data.as_ref().map(|counted| {
            let tables = counted.tables.iter();
            let tables = tables.map(|(name, table)| (name.clone(), table.data()));
            (
                counted.mode,
                Data {
                    tables: tables.collect(),
                },
            )
        });
        (schema.digest() == self.schema_digest).then_some(Source { schema, data })
    }

    /// BLAKE3 of all that it says, in the one form that is hashed: so that what was altered by accident,
    /// or by somebody who does not know how, is noticed.
    fn seal(&self) -> Checksum {
        // Serialising plain strings and numbers into memory cannot fail.
        Checksum::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// The text of the file.
    fn text(&self) -> String {
        let mut document = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(fields) = &mut document {
            fields.insert("seal".to_owned(), Value::String(self.seal().to_string()));
        }
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut document: Value =
            serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        match document.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => {}
            Some(other) => return Err(format!("it is a {other}, and not a {SCHEMA}")),
            None => return Err("it is no manifest".to_owned()),
        }
        let seal = document
            .as_object_mut()
            .and_then(|fields| fields.remove("seal"));
        let manifest: Self = serde_json::from_value(document)
            .map_err(|error| format!("it is no manifest: {error}"))?;
        if seal.as_ref().and_then(Value::as_str) == Some(&*manifest.seal().to_string()) {
            Ok(manifest)
        } else {
            Err("what it says is not what was sealed".to_owned())
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a manifest is read here alone")]
    pub(super) fn read(path: &Path) -> Result<Self, NoManifest> {
        let text = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => NoManifest::Missing,
            _ => NoManifest::Unreadable(error),
        })?;
        let text =
            String::from_utf8(text).map_err(|_| NoManifest::Altered("it is no text".to_owned()))?;
        Self::parse(&text).map_err(NoManifest::Altered)
    }

    /// Writes it, in the place of one that is there: whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), WorkflowError> {
        let part = part(path);
        let told = |error| WorkflowError::File {
            path: part.clone(),
            error,
        };
        crate::failpoint::hit("backup.manifest.before");
        let written = new_file(&part).and_then(|mut file| {
            file.write_all(self.text().as_bytes())?;
            crate::failpoint::hit("backup.manifest.written");
            file.sync_all()
        });
        if let Err(error) = written {
            // One that was begun is removed with what it belongs to.
            return Err(told(error));
        }
        std::fs::rename(&part, path).map_err(told)?;
        crate::failpoint::hit("backup.manifest.after");
        Ok(())
    }
}

impl Table {
    fn of(data: &TableData) -> Self {
        Self {
            rows: data.rows,
            whole: data.whole.clone(),
            columns: data.columns.clone(),
        }
    }

    fn data(&self) -> TableData {
        TableData {
            rows: self.rows,
            whole: self.whole.clone(),
            columns: self.columns.clone(),
        }
    }
}
