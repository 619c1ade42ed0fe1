//! The files of a report, made part by part: of a large ledger they are larger than what makes them.

use std::io::{self, Write};

use super::{JSON_SCHEMA, Report, csv, entries, html, markdown, verify};
use crate::digest::{ChainHash, Digests};
use crate::model::Entry;

/// What is to be done next with the files.
#[derive(Debug)]
pub enum Part<'a> {
    /// A file of this name begins.
    Begin(&'static str),
    /// Its next bytes.
    Text(&'a str),
    /// It is whole.
    End,
}

/// The names of the files, the manifest last.
pub const NAMES: [&str; 8] = [
    "report.html",
    "population.csv",
    "report.json",
    "report.schema.json",
    "report.md",
    "entries.jsonl",
    "VERIFY.txt",
    "MANIFEST.sha256",
];

/// A part is handed on when it has so many bytes.
const PART: usize = 64 * 1024;

/// Takes a text at a place where it may be divided: nothing that must not be shown lies across it.
pub(super) type Flush<'a> = &'a mut dyn FnMut(&mut String);

type Put<'a, E> = &'a mut dyn FnMut(Part<'_>) -> Result<(), E>;

/// Makes every file, the manifest last, from a report and the entries that it was built from.
/// `clean` takes out of a text what must never be shown; the entries, whose bytes must stay, were looked at before.
///
/// # Errors
/// The first of `put`.
pub fn each_file<E>(
    report: &Report,
    all: &[(ChainHash, Entry)],
    clean: &dyn Fn(&str) -> String,
    put: Put<'_, E>,
) -> Result<(), E> {
    let mut manifest = String::new();
    let as_it_is = |text: &str| text.to_owned();
    let mut file = |name: &'static str, clean: &dyn Fn(&str) -> String, make: Make<'_>| {
        let digest = one(name, clean, make, put)?;
        manifest.push_str(&format!("{digest}  {name}\n"));
        Ok(())
    };
    file("report.html", clean, &|out, flush| {
        html::write(report, out, flush);
    })?;
    file("population.csv", clean, &|out, flush| {
        csv::csv(report, out, flush);
    })?;
    file("report.json", clean, &|out, flush| {
        json(report, out, flush);
    })?;
    file("report.schema.json", &as_it_is, &|out, _| {
        out.push_str(JSON_SCHEMA);
    })?;
    file("report.md", clean, &|out, flush| {
        markdown::write(report, out, flush);
    })?;
    file("entries.jsonl", &as_it_is, &|out, flush| {
        entries::bodies(report, all, out, flush);
    })?;
    file("VERIFY.txt", &as_it_is, &|out, _| {
        out.push_str(&verify::verify(report));
    })?;
    let digest = one(
        "MANIFEST.sha256",
        &as_it_is,
        &|out, _| out.push_str(&manifest),
        put,
    );
    digest.map(|_| ())
}

type Make<'a> = &'a dyn Fn(&mut String, Flush<'_>);

/// One file; its SHA-256.
fn one<E>(
    name: &'static str,
    clean: &dyn Fn(&str) -> String,
    make: Make<'_>,
    put: Put<'_, E>,
) -> Result<crate::digest::Sha256, E> {
    put(Part::Begin(name))?;
    let mut digests = Digests::default();
    let mut went = Ok(());
    let mut hand_on = |text: &mut String| {
        let cleaned = clean(text);
        text.clear();
        digests.update(cleaned.as_bytes());
        if went.is_ok() {
            went = put(Part::Text(&cleaned));
        }
    };
    let mut text = String::with_capacity(2 * PART);
    make(&mut text, &mut |text| {
        if text.len() >= PART {
            hand_on(text);
        }
    });
    hand_on(&mut text);
    went?;
    put(Part::End)?;
    Ok(digests.finish().1)
}

/// The document as lines, each of which is handed on whole.
fn json(report: &Report, out: &mut String, flush: Flush<'_>) {
    let mut lines = Lines {
        out,
        flush,
        rest: Vec::new(),
    };
    // Strings and numbers alone, into memory: there is nothing that could fail.
    let _ = serde_json::to_writer_pretty(&mut lines, report);
    let _ = lines.write_all(b"\n");
}

struct Lines<'a, 'b> {
    out: &'a mut String,
    flush: Flush<'b>,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl Write for Lines<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        if bytes.contains(&b'\n') {
            let end = self.rest.iter().rposition(|byte| *byte == b'\n');
            let end = end.map_or(0, |place| place + 1);
            let lines = std::str::from_utf8(&self.rest[..end]).map_err(io::Error::other)?;
            self.out.push_str(lines);
            self.rest.drain(..end);
            (self.flush)(self.out);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
