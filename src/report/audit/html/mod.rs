//! The report as one HTML page: complete without its script, nothing from elsewhere. Every text of the ledger
//! is escaped, and the page itself forbids whatever would be loaded.

mod timeline;

use super::files::Flush;
use super::page::{Mood, Section, sections};
use super::{Change, Control, MISSING, MatrixCell, Report, Row};
use crate::digest::Sha256;
use crate::report::count;
use crate::report::markup::{base64, shown};
use crate::sql::{Class, tokens};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// So many rows stand in one table: a browser draws only those that are near.
const CHUNK: usize = 250;

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut out = String::new();
    write(report, &mut out, &mut |_| {});
    out
}

/// The same, part by part.
pub(super) fn write(report: &Report, out: &mut String, flush: Flush<'_>) {
    let hash = |text: &str| base64(Sha256::of(text.as_bytes()).as_bytes());
    out.push_str(&format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Change report, as of {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#verdicts\">To the verdicts</a>\n",
        hash(STYLE),
        hash(SCRIPT),
        report.scope.as_of.minute()
    ));
    let parts = sections(report);
    head(report, out);
    out.push_str("<main>\n");
    page_one(report, &parts, out);
    matrix(report, out, flush);
    out.push_str("<section class=\"part\" aria-labelledby=\"h-timeline\">\n<h2 id=\"h-timeline\">Timeline</h2>\n");
    timeline::timeline(report, out);
    out.push_str("</section>\n");
    population(report, out, flush);
    let many = if report.changes.len() > CHUNK {
        " many"
    } else {
        ""
    };
    out.push_str(&format!("<section class=\"part{many}\" id=\"changes\" aria-labelledby=\"h-changes\">\n<h2 id=\"h-changes\">Changes</h2>\n"));
    if report.changes.is_empty() {
        out.push_str("<p>No change is in scope.</p>\n");
    }
    for it in &report.changes {
        change(report, it, out);
        flush(out);
    }
    out.push_str("</section>\n");
    controls(&report.controls, out);
    out.push_str(&format!(
        "</main>\n<footer>Made by {} from the ledger alone, as of {}. How to check it without that tool: VERIFY.txt, beside this page.</footer>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        shown(&report.tool),
        report.scope.as_of
    ));
}

fn head(report: &Report, out: &mut String) {
    let scope = &report.scope;
    let mut said = vec![format!("as of {}", scope.as_of.minute())];
    said.extend(scope.from.map(|at| format!("from {}", at.minute())));
    said.extend(scope.to.map(|at| format!("before {}", at.minute())));
    if !scope.environments.is_empty() {
        let names: Vec<&str> = scope.environments.iter().map(|it| it.as_str()).collect();
        said.push(format!("only {}", names.join(", ")));
    }
    out.push_str(&format!(
        "<header>\n<div class=\"title\">\n<h1>Change report</h1>\n<p>Evidence from the ledger of database changes, {}</p>\n</div>\n\
         <nav aria-label=\"Parts of the report\">",
        shown(&said.join(", "))
    ));
    for (place, name) in [
        ("verdicts", "Verdicts"),
        ("matrix", "Matrix"),
        ("h-timeline", "Timeline"),
        ("population", "Population"),
        ("changes", "Changes"),
        ("controls", "Controls"),
        ("limits", "Limits"),
    ] {
        out.push_str(&format!("<a href=\"#{place}\">{name}</a>"));
    }
    out.push_str("</nav>\n</header>\n");
}

fn tile(number: &str, label: &str, mood: Mood) -> String {
    format!(
        "<div class=\"tile {}\"><dt>{}</dt><dd>{}</dd></div>\n",
        class(mood),
        shown(label),
        shown(number)
    )
}

fn class(mood: Mood) -> &'static str {
    match mood {
        Mood::Plain => "plain",
        Mood::Good => "good",
        Mood::Warn => "warn",
        Mood::Bad => "bad",
    }
}

fn page_one(report: &Report, parts: &[Section], out: &mut String) {
    let it = &report.verdicts;
    let production = it
        .production
        .as_ref()
        .map_or("production", |name| name.as_str());
    let some = |number: usize, mood: Mood| if number == 0 { Mood::Plain } else { mood };
    out.push_str("<div class=\"one\">\n<dl class=\"tiles\">\n");
    out.push_str(&tile(
        &it.production_changes.to_string(),
        &format!("changes in {production}"),
        Mood::Plain,
    ));
    let whole = it.full_chain == it.production_changes;
    let chain = format!("{} of {}", it.full_chain, it.production_changes);
    out.push_str(&tile(
        &chain,
        "with a full chain",
        if whole { Mood::Good } else { Mood::Warn },
    ));
    out.push_str(&tile(
        &it.exceptions.len().to_string(),
        "exceptions",
        some(it.exceptions.len(), Mood::Warn),
    ));
    out.push_str(&tile(&it.refusals.to_string(), "refused", Mood::Plain));
    out.push_str(&tile(
        &it.failures.to_string(),
        "failed",
        some(it.failures, Mood::Warn),
    ));
    let glass = format!("{} / {}", it.glass_open, it.glass_overdue);
    let mood = some(it.glass_overdue, Mood::Bad);
    let mood = if mood == Mood::Plain {
        some(it.glass_open, Mood::Warn)
    } else {
        mood
    };
    out.push_str(&tile(&glass, "broken glass open / overdue", mood));
    out.push_str("</dl>\n<div class=\"sections\">\n");
    for part in parts {
        section(part, out);
    }
    out.push_str("</div>\n");
    how(report, out);
    out.push_str("<section id=\"limits\" class=\"limits\" aria-labelledby=\"h-limits\">\n<h2 id=\"h-limits\">What this report does not prove</h2>\n<ul>\n");
    for limit in &report.does_not_prove {
        out.push_str(&format!("<li>{}</li>\n", limited(limit)));
    }
    out.push_str("</ul>\n</section>\n</div>\n");
}

/// The first sentence is what is not proven; it is set off.
fn limited(limit: &str) -> String {
    let (first, rest) = limit.split_once(". ").unwrap_or((limit, ""));
    let dot = if rest.is_empty() { "" } else { ". " };
    let code = |text: &str| {
        let pieces = text.split('`').enumerate();
        let pieces = pieces.map(|(place, piece)| match place % 2 {
            1 => format!("<code>{}</code>", shown(piece)),
            _ => shown(piece),
        });
        pieces.collect::<String>()
    };
    format!(
        "<strong>{}{}</strong>{}",
        code(first),
        dot.trim_end(),
        code(&format!(" {rest}"))
    )
}

fn how(report: &Report, out: &mut String) {
    out.push_str("<section class=\"how\" aria-labelledby=\"h-how\">\n<h2 id=\"h-how\">How the population was made</h2>\n");
    for line in &report.completeness.how {
        out.push_str(&format!("<p>{}</p>\n", shown(&line.replace('`', ""))));
    }
    out.push_str("</section>\n");
}

fn section(part: &Section, out: &mut String) {
    out.push_str(&format!(
        "<section id=\"{0}\" aria-labelledby=\"h-{0}\">\n<h2 id=\"h-{0}\">{1}</h2>\n<dl>\n",
        part.id, part.title
    ));
    for line in &part.lines {
        let sign = match line.mood {
            Mood::Warn => "<b class=\"sign\">!</b> ",
            Mood::Bad => "<b class=\"sign\">!!</b> ",
            _ => "",
        };
        out.push_str(&format!(
            "<div class=\"{}\"><dt>{}</dt><dd>{sign}{}</dd></div>\n",
            class(line.mood),
            shown(&line.label),
            shown(&line.says)
        ));
    }
    out.push_str("</dl>\n</section>\n");
}

fn matrix(report: &Report, out: &mut String, flush: Flush<'_>) {
    out.push_str(&format!(
        "<section class=\"part\" id=\"matrix\" aria-labelledby=\"h-matrix\">\n<h2 id=\"h-matrix\">Matrix</h2>\n\
         <p class=\"note\">{} by {}: what each is there as of {}.</p>\n",
        count(report.matrix.rows.len(), "change"),
        count(report.matrix.environments.len(), "environment"),
        report.scope.as_of.minute()
    ));
    let mut head = String::from("<thead><tr><th scope=\"col\">change</th>");
    for name in &report.matrix.environments {
        head.push_str(&format!("<th scope=\"col\">{}</th>", shown(name.as_str())));
    }
    head.push_str("</tr></thead>");
    for rows in report.matrix.rows.chunks(CHUNK) {
        table("matrix", &head, rows.len(), out);
        for row in rows {
            let id = shown(row.migration.as_str());
            out.push_str(&format!(
                "<tr><th scope=\"row\"><a href=\"#c-{}\">{id}</a></th>",
                place(report, row.migration.as_str())
            ));
            for it in &row.cells {
                cell(it.as_ref(), out);
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
        flush(out);
    }
    out.push_str("</section>\n");
}

/// The number of a change's place on the page: ids of elements hold nothing of the ledger.
fn place(report: &Report, migration: &str) -> usize {
    report
        .changes
        .binary_search_by(|it| it.migration.as_str().cmp(migration))
        .map_or(0, |place| place + 1)
}

fn table(name: &str, head: &str, rows: usize, out: &mut String) {
    let size = match rows {
        CHUNK => " full",
        _ => "",
    };
    out.push_str(&format!(
        "<div class=\"chunk{size}\" tabindex=\"0\" role=\"region\" aria-label=\"{name}\"><table class=\"{name}\">{head}<tbody>\n"
    ));
}

fn cell(cell: Option<&MatrixCell>, out: &mut String) {
    let Some(it) = cell else {
        out.push_str("<td class=\"quiet\">\u{2013}</td>");
        return;
    };
    let mood = match it.state {
        _ if it.owed => "warn",
        "applied" => "good",
        "failed" | "unknown" => "bad",
        "other bytes" | "missing" | "baselined" => "warn",
        _ => "quiet",
    };
    let owed = if it.owed { " (debt)" } else { "" };
    let at = it
        .at
        .map_or_else(String::new, |at| format!("<small>{}</small>", at.minute()));
    let by = it
        .by
        .as_ref()
        .map_or_else(String::new, |by| format!("<small>{}</small>", shown(by)));
    out.push_str(&format!(
        "<td class=\"{mood}\"><b>{}{owed}</b>{at}{by}</td>",
        it.state
    ));
}

fn population(report: &Report, out: &mut String, flush: Flush<'_>) {
    out.push_str(&format!(
        "<section class=\"part\" id=\"population\" aria-labelledby=\"h-population\">\n<h2 id=\"h-population\">Population</h2>\n\
         <p class=\"note\">{} in order of time: every attempt, and every change that was refused. Times are UTC.</p>\n\
         <form class=\"tools\" hidden role=\"search\">\
         <label>Search <input type=\"search\" id=\"find\" autocomplete=\"off\" spellcheck=\"false\"></label>\
         <label>Environment <select id=\"f-env\"><option value=\"\">all</option>",
        count(report.population.len(), "row")
    ));
    for it in &report.environments {
        let name = shown(it.name.as_str());
        out.push_str(&format!("<option>{name}</option>"));
    }
    out.push_str(
        "</select></label><label>Outcome <select id=\"f-outcome\"><option value=\"\">all</option><option>succeeded</option>\
         <option>failed</option><option>not-run</option><option>unknown</option><option>refused</option></select></label>\
         <label>Chain <select id=\"f-chain\"><option value=\"\">all</option><option>full</option><option>broken</option>\
         <option>not-asked</option></select></label><output id=\"found\" aria-live=\"polite\"></output></form>\n",
    );
    let head = "<colgroup><col class=\"c-n\"><col class=\"c-at\"><col class=\"c-env\"><col class=\"c-id\"><col class=\"c-what\"><col class=\"c-end\"><col class=\"c-by\"><col class=\"c-chain\"><col></colgroup>\
         <thead><tr><th scope=\"col\">row</th><th scope=\"col\">at</th><th scope=\"col\">where</th><th scope=\"col\">change</th>\
         <th scope=\"col\">what</th><th scope=\"col\">outcome</th><th scope=\"col\">by</th><th scope=\"col\">chain</th><th scope=\"col\">to be known</th></tr></thead>";
    for rows in report.population.chunks(CHUNK) {
        table("population", head, rows.len(), out);
        for it in rows {
            row(report, it, out);
        }
        out.push_str("</tbody></table></div>\n");
        flush(out);
    }
    out.push_str("</section>\n");
}

/// The class of an outcome.
fn outcome(word: &str) -> &'static str {
    match word {
        "succeeded" => "good",
        "failed" => "warn",
        "unknown" => "bad",
        _ => "kept",
    }
}

fn row(report: &Report, row: &Row, out: &mut String) {
    let migration = row.migration.as_ref().map_or_else(
        || "\u{2013}".to_owned(),
        |id| {
            format!(
                "<a href=\"#c-{}\">{}</a>",
                place(report, id.as_str()),
                shown(id.as_str())
            )
        },
    );
    let at = row.at.to_string();
    let (day, time) = at.split_once('T').unwrap_or((&at, ""));
    let mut notes: Vec<String> = Vec::new();
    if !row.gates.is_empty() {
        notes.push(format!("gates: {}", row.gates.join(", ")));
    }
    notes.extend(
        row.receipt_kind
            .zip(row.receipt)
            .map(|(kind, seq)| format!("{kind} receipt {seq}")),
    );
    notes.extend(row.chain.exceptions.iter().cloned());
    notes.extend(row.notes.iter().cloned());
    notes.extend(row.change.iter().map(|it| format!("change {it}")));
    let from = row.host.as_ref().map_or_else(
        || row.origin.clone(),
        |host| format!("{}, {host}", row.origin),
    );
    let chain = match row.chain.state {
        "full" => "good",
        "broken" => "warn",
        _ => "quiet",
    };
    out.push_str(&format!(
        "<tr id=\"r-{n}\"><th scope=\"row\">{n}</th><td>{day} <small>{time}</small></td><td>{}</td><td>{migration}</td><td>{}</td>\
         <td class=\"{}\"><b>{}</b></td><td>{} <small>{}</small></td><td class=\"{chain}\">{}</td><td>{}</td></tr>\n",
        shown(row.environment.as_str()),
        shown(&row.action),
        outcome(row.outcome),
        row.outcome,
        shown(&row.by),
        shown(&from),
        row.chain.state,
        shown(&notes.join("; ")),
        n = row.number,
    ));
}

fn change(report: &Report, it: &Change, out: &mut String) {
    let n = place(report, it.migration.as_str());
    out.push_str(&format!(
        "<article class=\"change\" id=\"c-{n}\" aria-labelledby=\"t-{n}\">\n<h3 id=\"t-{n}\"><span>{}</span> <code>{}</code></h3>\n<dl class=\"facts\">\n",
        shown(&it.title),
        shown(it.migration.as_str())
    ));
    for (label, says) in it.facts() {
        if label == "title" {
            continue;
        }
        let mood = match says.as_str() {
            _ if says.starts_with(MISSING) => "missing",
            _ if says.starts_with("NOT ") || says.starts_with("not met") => "warn",
            _ if label == "destroys" && !says.starts_with("nothing") => "warn",
            _ => "plain",
        };
        let is_digest = matches!(label, "BLAKE3" | "SHA-256" | "git commit");
        let wide = if is_digest { " digest" } else { "" };
        out.push_str(&format!(
            "<div class=\"{mood}{wide}\"><dt>{label}</dt><dd>{}</dd></div>\n",
            shown(&says)
        ));
    }
    out.push_str("</dl>\n<div class=\"chunk\" tabindex=\"0\" role=\"region\" aria-label=\"attempts\"><table class=\"attempts\"><thead><tr><th scope=\"col\">row</th><th scope=\"col\">began</th><th scope=\"col\">took</th><th scope=\"col\">by the database</th><th scope=\"col\">where</th><th scope=\"col\">outcome</th><th scope=\"col\">by</th><th scope=\"col\">bytes</th></tr></thead><tbody>\n");
    let last = it.versions.last().map(|version| version.blake3.as_str());
    for number in &it.rows {
        let Some(row) = number.checked_sub(1).and_then(|_| find(report, *number)) else {
            continue;
        };
        let took = match (row.kind, row.ended) {
            ("attempt", Some(ended)) => format!(
                "{} ms",
                ended.unix_millis().saturating_sub(row.at.unix_millis())
            ),
            _ => "\u{2013}".to_owned(),
        };
        let clock = match (row.database_at, row.receipt) {
            (Some(at), _) => at.to_string(),
            (None, Some(_)) if report.has_own_clock(&row.environment) => MISSING.to_owned(),
            _ => "\u{2013}".to_owned(),
        };
        let bytes = row
            .blake3
            .as_deref()
            .map_or("\u{2013}".to_owned(), |blake3| {
                let short: String = blake3.chars().take(12).collect();
                match Some(blake3) == last {
                    true => short,
                    false => format!("{short}, OTHER"),
                }
            });
        out.push_str(&format!(
            "<tr><td><a href=\"#r-{0}\">{0}</a></td><td class=\"when\">{1}</td><td>{took}</td><td class=\"when\">{clock}</td><td>{2}</td><td class=\"{3}\"><b>{4}</b></td><td>{5}</td><td>{bytes}</td></tr>\n",
            row.number,
            row.at,
            shown(row.environment.as_str()),
            outcome(row.outcome),
            row.outcome,
            shown(&row.by),
        ));
    }
    out.push_str("</tbody></table></div>\n<p class=\"note\">\u{201c}Began\u{201d} and \u{201c}took\u{201d} are by the clock of whoever ran it; \u{201c}by the database\u{201d} is when PostgreSQL wrote the receipt, by its own. SQLite has none of its own.</p>\n");
    match &it.sql {
        None => out
            .push_str("<p class=\"note\">The ledger does not keep the bytes of this script.</p>\n"),
        Some(sql) => {
            let masked = if it.sql_masked {
                ", without passwords and hosts"
            } else {
                ""
            };
            // A line feed right after <pre> is not shown.
            out.push_str(&format!(
                "<p class=\"caption\">The SQL, {}{masked}</p>\n<pre tabindex=\"0\">\n",
                count(sql.lines().count(), "line")
            ));
            highlighted(sql, out);
            out.push_str("</pre>\n");
        }
    }
    out.push_str("</article>\n");
}

fn find(report: &Report, number: usize) -> Option<&Row> {
    let place = report
        .population
        .binary_search_by_key(&number, |row| row.number)
        .ok()?;
    report.population.get(place)
}

fn highlighted(sql: &str, out: &mut String) {
    for (class, text) in tokens(sql) {
        let tag = match class {
            Class::Plain => "",
            Class::Word => "k",
            Class::Name => "n",
            Class::Text => "s",
            Class::Number => "d",
            Class::Comment => "c",
        };
        match tag {
            "" => out.push_str(&shown(text)),
            tag => out.push_str(&format!("<span class=\"{tag}\">{}</span>", shown(text))),
        }
    }
}

fn controls(all: &[Control], out: &mut String) {
    out.push_str(
        "<section class=\"part\" id=\"controls\" aria-labelledby=\"h-controls\">\n<h2 id=\"h-controls\">Controls</h2>\n\
         <p class=\"note\">Evidence that supports a conclusion somebody else draws; never a statement that a control is met.</p>\n\
         <div class=\"chunk\" tabindex=\"0\" role=\"region\" aria-label=\"controls\"><table class=\"controls\"><thead><tr><th scope=\"col\">framework</th><th scope=\"col\">control</th>\
         <th scope=\"col\">asks</th><th scope=\"col\">state</th><th scope=\"col\">evidence</th></tr></thead><tbody>\n",
    );
    for it in all {
        let mood = match it.state {
            "evidence" => "good",
            MISSING => "missing",
            _ => "quiet",
        };
        let says = match it.place {
            Some(place) => format!("{} <a href=\"#{place}\">see {place}</a>", shown(&it.says)),
            None => shown(&it.says),
        };
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"{mood}\"><b>{}</b></td><td>{says}</td></tr>\n",
            it.framework, it.control, it.asks, it.state
        ));
    }
    out.push_str("</tbody></table></div>\n</section>\n");
}
