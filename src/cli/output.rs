//! Printing: the result to stdout, the rest to stderr, and nothing that could steer a terminal.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::args::Format;
use super::exit::{Exit, Trouble};
use super::world::World;
use crate::ledger::Strays;
use crate::report::github::{Annotation, Level, harmless};
use crate::report::{self, Paint};

/// Where a verb writes to.
pub(crate) struct Output<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) format: Format,
    /// Texts that must never be shown: passwords, and urls that hold one.
    secrets: Secrets,
    failed: Option<std::io::Error>,
    /// Whether a line stands on stderr that is to be drawn over.
    drawn: bool,
    /// When the newest one of many was drawn.
    drawn_at: Option<Instant>,
}

impl<'w> Output<'w> {
    pub(crate) fn new(world: &'w mut World, format: Format) -> Self {
        Self {
            world,
            format,
            secrets: Secrets::default(),
            failed: None,
            drawn: false,
            drawn_at: None,
        }
    }

    /// Never shows this text from now on. A last line of defence: nothing should try to.
    pub(crate) fn hide(&mut self, secret: &str) {
        self.secrets.hide(secret);
    }

    /// The secrets that are hidden, to hide them elsewhere too.
    pub(crate) fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// Writes the result of a format that is neither for a terminal nor JSON.
    pub(crate) fn page(&mut self, text: &str) {
        let text = self.clean(text, false);
        self.write(|world| world.stdout.write_all(text.as_bytes()));
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub(crate) fn is_github(&self) -> bool {
        self.format == Format::Github
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        let flag = &self.world.interrupted;
        flag.load(std::sync::atomic::Ordering::SeqCst)
    }

    pub(crate) fn paint(&self) -> Paint {
        Paint(self.world.colour_stdout && self.format == Format::Text)
    }

    pub(crate) fn paint_notes(&self) -> Paint {
        Paint(self.world.colour_stderr)
    }

    /// Writes the result, as it is for people.
    pub(crate) fn result(&mut self, text: &str) {
        let text = self.clean(text, self.world.colour_stdout);
        self.write(|world| world.stdout.write_all(text.as_bytes()));
    }

    /// Writes a command of GitHub Actions. Its texts are cleaned before they are put into it: escaped, a
    /// secret would no longer be known.
    pub(crate) fn annotate(&mut self, annotation: &Annotation) {
        let properties = annotation.properties.iter();
        let clean = Annotation {
            level: annotation.level,
            properties: properties
                .map(|(name, value)| (*name, self.plain(value)))
                .collect(),
            message: self.plain(&annotation.message),
        };
        self.write(|world| writeln!(world.stdout, "{}", clean.command()));
    }

    /// A text as it is written to a file: without secrets and control characters.
    pub(crate) fn plain(&self, text: &str) -> String {
        self.secrets.leave_out(&without_controls(text, false))
    }

    /// Writes bytes that are the result, exactly as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.write(|world| world.stdout.write_all(bytes));
    }

    /// Writes the one document of a command.
    pub(crate) fn document(&mut self, document: &Value) {
        // Serialising a value that is already JSON cannot fail.
        let text = serde_json::to_string_pretty(document).unwrap_or_default();
        let text = self.clean(&text, false);
        self.write(|world| writeln!(world.stdout, "{text}"));
    }

    /// Writes something that is not the result.
    pub(crate) fn note(&mut self, text: &str) {
        self.clear_line();
        let text = self.clean(text, self.world.colour_stderr);
        // What cannot be told there must not take the result with it.
        let stderr = &mut self.world.stderr;
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }

    /// Asks on the terminal, and takes nothing but a yes for a yes.
    pub(crate) fn confirm(
        &mut self,
        question: &str,
        without_asking: &str,
    ) -> Result<bool, Trouble> {
        self.note(&format!("{question} [y/N] "));
        match self.world.read_line() {
            Ok(_) if self.is_interrupted() => Ok(false),
            Ok(typed) => Ok(matches!(
                typed.trim().to_ascii_lowercase().as_str(),
                "y" | "yes"
            )),
            Err(error) => Err(Trouble::failed(
                format!("the terminal cannot be read: {error}"),
                Some(without_asking.to_owned()),
            )),
        }
    }

    /// Draws a line that the next one, or [`Self::clear_line`], draws over.
    pub(crate) fn line_over(&mut self, text: &str) {
        let text = self.clean(text, self.world.colour_stderr);
        let stderr = &mut self.world.stderr;
        let _ = write!(stderr, "\r\u{1b}[K{text}").and_then(|()| stderr.flush());
        self.drawn = true;
    }

    /// The same for one of very many: nobody reads more than a few in a second.
    pub(crate) fn line_over_now_and_then(&mut self, text: impl FnOnce() -> String) {
        const PAUSE: Duration = Duration::from_millis(100);
        if self.drawn_at.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.line_over(&text());
            self.drawn_at = Some(Instant::now());
        }
    }

    /// Takes back what [`Self::line_over`] drew.
    pub(crate) fn clear_line(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(self.world.stderr, "\r\u{1b}[K");
        }
    }

    /// Says what went wrong, and returns the exit code for it.
    pub(crate) fn trouble(&mut self, trouble: &Trouble) -> Exit {
        let paint = self.paint_notes();
        let mut text = format!("{} {}\n", paint.bad("error:"), trouble.fact);
        if let Some(consequence) = &trouble.consequence {
            text.push_str(&format!("  {consequence}\n"));
        }
        if let Some(remedy) = &trouble.remedy {
            text.push_str(&format!("\n  remedy   {remedy}\n"));
        }
        self.note(&text);
        if self.is_github() {
            let lines = std::iter::once(&trouble.fact)
                .chain(&trouble.consequence)
                .map(String::to_owned);
            let remedy = trouble.remedy.iter().map(|it| format!("remedy: {it}"));
            let message: Vec<String> = lines.chain(remedy).collect();
            self.annotate(&Annotation::new(
                Level::Error,
                "tollgate",
                message.join("\n"),
            ));
        }
        if self.is_json() {
            let document = serde_json::json!({
                "schema": "tollgate/error/v1",
                "exit": trouble.exit.code(),
                "error": trouble.fact,
                "consequence": trouble.consequence,
                "remedy": trouble.remedy,
            });
            self.document(&document);
        }
        trouble.exit
    }

    /// Says what the ledger holds and does not simply count, where there is any.
    pub(crate) fn note_strays(&mut self, strays: &Strays) {
        let text = report::strays::text(strays, self.paint_notes());
        if !text.is_empty() {
            self.note(&text);
        }
    }

    /// Says what went wrong with a part of what was asked for; the rest goes on.
    pub(crate) fn trouble_in_text(&mut self, trouble: &Trouble) {
        let paint = self.paint_notes();
        let mut text = format!("{} {}\n", paint.bad("error:"), trouble.fact);
        if let Some(remedy) = &trouble.remedy {
            text.push_str(&format!("  remedy   {remedy}\n"));
        }
        self.note(&text);
    }

    /// Whether everything could be written. A reader that went away (`| head`) is no failure.
    pub(crate) fn finish(&mut self) -> Result<(), Trouble> {
        self.write(|world| world.stdout.flush());
        match self.failed.take() {
            Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Trouble::failed(
                format!("the result cannot be written: {error}"),
                None,
            )),
            _ => Ok(()),
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut World) -> std::io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(self.world).err();
        }
    }

    /// Leaves out secrets, and control characters that could steer a terminal; line feeds, tabs and,
    /// where it is wanted, colour stay.
    fn clean(&self, text: &str, coloured: bool) -> String {
        let out = self.secrets.leave_out(&without_controls(text, coloured));
        match self.format {
            // Every line of the log is read for commands.
            Format::Github => harmless(&out),
            _ => out,
        }
    }
}

/// The text without control characters, but for line feeds, tabs and, where it is wanted, colour.
fn without_controls(text: &str, coloured: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(sequence) = colour(rest).filter(|_| coloured) {
            out.push_str(sequence);
            rest = &rest[sequence.len()..];
            continue;
        }
        // Bidirectional controls can make a line read as another one.
        let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let harmless =
            !turns && (!character.is_control() || character == '\n' || character == '\t');
        out.push(if harmless { character } else { '\u{fffd}' });
        rest = &rest[character.len_utf8()..];
    }
    out
}

/// Texts that must never be shown: the passwords of the targets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    fn hide(&mut self, secret: &str) {
        // A very short or very common one would blot out ordinary words, and protects nothing.
        let common = [
            "postgres",
            "password",
            "tollgate",
            "schema",
            "migration",
            "environment",
        ];
        if secret.len() < 6 || common.contains(&secret) {
            return;
        }
        // As it stands, and as it stands inside a text of JSON.
        let quoted = serde_json::to_string(secret).unwrap_or_default();
        let inside = quoted
            .get(1..quoted.len().saturating_sub(1))
            .unwrap_or_default();
        for form in [secret.to_owned(), inside.to_owned()] {
            if !self.0.contains(&form) {
                self.0.push(form);
            }
        }
    }

    /// The text with `***` in place of each secret.
    pub(crate) fn leave_out(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in &self.0 {
            if out.contains(secret.as_str()) {
                out = out.replace(secret.as_str(), "***");
            }
        }
        without_passwords(out)
    }
}

/// The text with `***` in place of the password of every url in it: somebody may have typed one, or pasted
/// it, that no variable holds.
fn without_passwords(text: String) -> String {
    if !text.contains("://") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = |c: char| c.is_whitespace() || "/?#\"'`<>".contains(c);
        let place = after.find(end).unwrap_or(after.len());
        let (authority, behind) = after.split_at(place);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => {
                let user = user.split(':').next().unwrap_or_default();
                out.push_str(&format!("{user}:***@{host}"));
            }
            _ => out.push_str(authority),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The select-graphic-rendition sequence that a text begins with, if it is one of those that this
/// program writes: a colour, bold, dim and their ends. None of them can hide a text.
fn colour(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    let known = |parameter: &str| {
        let bright =
            |digits: &str| digits.len() == 1 && ('1'..='7').any(|digit| digits.starts_with(digit));
        matches!(
            parameter,
            "" | "0" | "1" | "2" | "4" | "22" | "24" | "39" | "38" | "5"
        ) || parameter.strip_prefix('3').is_some_and(bright)
            || parameter.strip_prefix('9').is_some_and(bright)
            || parameter == "12"
    };
    let harmless = parameters[end..].starts_with('m') && parameters[..end].split(';').all(known);
    harmless.then(|| &text[..2 + end + 1])
}

/// A command line that could not be parsed, or asked for help.
pub(crate) fn usage(world: &mut World, error: &clap::Error) -> Exit {
    let text = error.render();
    // Help and the version are results; everything else is not. If even that cannot be written,
    // the exit code is all that is left to say.
    if error.use_stderr() {
        let written = if world.colour_stderr {
            write!(world.stderr, "{}", text.ansi())
        } else {
            write!(world.stderr, "{text}")
        };
        let _ = written;
        Exit::Usage
    } else {
        let written = if world.colour_stdout {
            write!(world.stdout, "{}", text.ansi())
        } else {
            write!(world.stdout, "{text}")
        };
        let _ = written;
        Exit::Done
    }
}

/// What is wrong with the world, before a command begins.
pub(crate) fn last_words(world: &mut World, text: &str) -> Exit {
    let _ = writeln!(world.stderr, "{text}");
    Exit::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_every_url_is_left_out() {
        for (text, expected) in [
            (
                "postgresql://ada:swordfish@h:5/db",
                "postgresql://ada:***@h:5/db",
            ),
            (
                "a://u:p@h and b://v:q@w/x.",
                "a://u:***@h and b://v:***@w/x.",
            ),
            ("a://u:p@q@h", "a://u:***@h"),
            ("a://:p@h", "a://:***@h"),
            ("a://u@h:5432/d", "a://u@h:5432/d"),
            ("https://h/a:b@c ://", "https://h/a:b@c ://"),
            ("a://u:p'@h", "a://u:p'@h"),
            ("ada:swordfish@h", "ada:swordfish@h"),
        ] {
            assert_eq!(without_passwords(text.to_owned()), expected);
        }
    }

    #[test]
    fn only_colour_is_let_through() {
        assert_eq!(colour("\u{1b}[1;31mred"), Some("\u{1b}[1;31m"));
        assert_eq!(colour("\u{1b}[m"), Some("\u{1b}[m"));
        assert_eq!(colour("\u{1b}[2J"), None);
        assert_eq!(colour("\u{1b}]0;title\u{7}"), None);
        assert_eq!(colour("\u{1b}[31"), None);
        // Conceal, and black on black.
        assert_eq!(colour("\u{1b}[8m"), None);
        assert_eq!(colour("\u{1b}[30;40m"), None);
    }
}
