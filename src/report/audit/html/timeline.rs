//! The timeline: each environment a lane, each change a line from lane to lane, drawn from the rows.

use std::collections::BTreeMap;

use crate::report::audit::{Report, Row};
use crate::report::length_of_time;
use crate::report::markup::shown;

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 24.0;
const LANE: f64 = 84.0;
const TOP: f64 = 16.0;

/// More marks than this are drawn together, by how many there are.
const MOST: usize = 500;

/// Marks at one place of a lane stand one above the other, so far apart.
const APART: f64 = 9.0;

/// How a row is drawn, and its word in the legend.
fn kind(row: &Row) -> &'static str {
    match (row.outcome, row.incident.is_some()) {
        ("refused", _) => "refused",
        ("failed", _) => "failed",
        ("not-run", _) => "queued",
        ("unknown", _) => "unknown",
        (_, true) => "glass",
        _ => "done",
    }
}

const KINDS: [(&str, &str); 6] = [
    ("done", "succeeded"),
    ("refused", "refused"),
    ("failed", "failed"),
    ("queued", "queued, and did not run"),
    ("unknown", "end not known"),
    ("glass", "through broken glass"),
];

/// One mark, around its middle.
fn mark(kind: &str, x: f64, y: f64, size: f64) -> String {
    let shape = match kind {
        "done" => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size:.1}\"/>"),
        "failed" => {
            let (a, b, c, d) = (x - size, x + size, y - size, y + size);
            format!("<path d=\"M{a:.1} {c:.1}L{b:.1} {d:.1}M{b:.1} {c:.1}L{a:.1} {d:.1}\"/>")
        }
        "refused" => {
            let (a, b, c, d) = (x - size, x + size, y - size, y + size);
            format!("<path d=\"M{x:.1} {c:.1}L{b:.1} {y:.1}L{x:.1} {d:.1}L{a:.1} {y:.1}Z\"/>")
        }
        "glass" => {
            let (a, b, c, d) = (x - size, x + size, y - size, y + size);
            format!("<path d=\"M{x:.1} {c:.1}L{b:.1} {d:.1}L{a:.1} {d:.1}Z\"/>")
        }
        _ => {
            let (a, c, side) = (x - size, y - size, 2.0 * size);
            format!("<rect x=\"{a:.1}\" y=\"{c:.1}\" width=\"{side:.1}\" height=\"{side:.1}\"/>")
        }
    };
    format!("<g class=\"m-{kind}\">{shape}")
}

/// Draws it, with a legend.
pub(super) fn timeline(report: &Report, out: &mut String) {
    let rows = &report.population;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        out.push_str("<p>No row is in scope.</p>\n");
        return;
    };
    let is_there = |name: &str| rows.iter().any(|row| row.environment.as_str() == name);
    let lanes: Vec<&str> = report
        .environments
        .iter()
        .filter(|it| it.place.is_some() || is_there(it.name.as_str()))
        .map(|it| it.name.as_str())
        .collect();
    let (from, to) = (first.at.unix_millis(), last.at.unix_millis());
    let span = as_float(to.saturating_sub(from));
    let inside = WIDTH - LEFT - RIGHT;
    let x_of = |row: &Row| match span > 0.0 {
        true => LEFT + inside * as_float(row.at.unix_millis().saturating_sub(from)) / span,
        false => LEFT + inside / 2.0,
    };
    let lane_of = |row: &Row| {
        lanes
            .iter()
            .position(|name| *name == row.environment.as_str())
    };
    let middle = |lane: usize| TOP + LANE * (as_count(lane) + 0.5);
    let height = TOP + LANE * as_count(lanes.len()) + 34.0;
    let median = soak(report);
    out.push_str(&format!(
        "<p class=\"note\">Each lane is an environment; a line leads a change's bytes from lane to lane, and its way is the time that they stood before they went on{}.</p>\n\
         <div class=\"chunk\" tabindex=\"0\" role=\"region\" aria-label=\"timeline\">\n\
         <svg class=\"timeline\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-labelledby=\"tl-title tl-desc\">\n\
         <title id=\"tl-title\">Changes along the chain</title>\n<desc id=\"tl-desc\">{} rows from {} to {}; the table of the population has all of them.</desc>\n",
        median.map_or_else(String::new, |time| format!(". Half of the changes stood {time} or longer before production")),
        rows.len(),
        first.at.minute(),
        last.at.minute()
    ));
    for (lane, name) in lanes.iter().enumerate() {
        let y = middle(lane);
        out.push_str(&format!(
            "<line class=\"lane\" x1=\"{LEFT:.0}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"name\" x=\"0\" y=\"{:.1}\">{}</text>\n",
            WIDTH - RIGHT,
            y + 5.0,
            shown(name)
        ));
    }
    axis(first, last, height, out);
    match rows.len() > MOST {
        true => together(rows, &x_of, &lane_of, &middle, out),
        false => one_by_one(rows, &x_of, &lane_of, &middle, out),
    }
    out.push_str("</svg>\n</div>\n<p class=\"legend\">");
    for (kind, word) in KINDS {
        if rows.iter().any(|row| self::kind(row) == kind) {
            out.push_str(&format!(
                "<span><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\">{}</g></svg>{word}</span> ",
                mark(kind, 8.0, 8.0, 5.0)
            ));
        }
    }
    out.push_str("</p>\n");
}

fn axis(first: &Row, last: &Row, height: f64, out: &mut String) {
    let (from, to) = (first.at.unix_millis(), last.at.unix_millis());
    let y = height - 10.0;
    if from == to {
        let x = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
        out.push_str(&format!(
            "<text class=\"time mid\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>\n",
            first.at.minute()
        ));
        return;
    }
    let half = crate::model::Timestamp::from_unix_millis(from + (to - from) / 2);
    for (class, part, at) in [
        ("start", 0.0, first.at),
        ("mid", 0.5, half),
        ("end", 1.0, last.at),
    ] {
        let x = LEFT + (WIDTH - LEFT - RIGHT) * part;
        out.push_str(&format!(
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP:.0}\" y2=\"{:.0}\"/>\
             <text class=\"time {class}\" x=\"{x:.1}\" y=\"{y:.0}\">{}</text>\n",
            height - 26.0,
            at.minute()
        ));
    }
}

type Place<'a, T> = &'a dyn Fn(&Row) -> T;

fn one_by_one(
    rows: &[Row],
    x_of: Place<'_, f64>,
    lane_of: Place<'_, Option<usize>>,
    middle: &dyn Fn(usize) -> f64,
    out: &mut String,
) {
    let mut taken: BTreeMap<(usize, i64), usize> = BTreeMap::new();
    let mut lines: BTreeMap<(String, String), Vec<(f64, f64)>> = BTreeMap::new();
    let mut marks = String::new();
    for row in rows {
        let Some(lane) = lane_of(row) else { continue };
        let x = x_of(row);
        // Those that would cover each other stand one above the other, from the middle outwards.
        let here = taken.entry((lane, rounded(x / 12.0))).or_insert(0);
        let side = if here.is_multiple_of(2) { 1.0 } else { -1.0 };
        let y = middle(lane) + side * APART * as_count(here.div_ceil(2) % 5);
        *here += 1;
        let about = row
            .migration
            .as_ref()
            .map_or("no migration", |id| id.as_str());
        let title = format!(
            "{about}, {} in {}, {} by {}",
            row.outcome,
            row.environment,
            row.at.minute(),
            row.by
        );
        marks.push_str(&format!(
            "<a href=\"#r-{}\" tabindex=\"-1\">{}<title>{}</title></g></a>\n",
            row.number,
            mark(kind(row), x, y, 5.0),
            shown(&title)
        ));
        if let (Some(id), Some(blake3), "succeeded") = (&row.migration, &row.blake3, row.outcome) {
            let line = lines.entry((id.to_string(), blake3.clone())).or_default();
            line.push((x, y));
        }
    }
    for points in lines.values().filter(|points| points.len() > 1) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        out.push_str(&format!(
            "<polyline class=\"way\" points=\"{}\"/>\n",
            points.join(" ")
        ));
    }
    out.push_str(&marks);
}

/// Many marks: each stands for those of its kind that are near each other, the larger the more.
fn together(
    rows: &[Row],
    x_of: Place<'_, f64>,
    lane_of: Place<'_, Option<usize>>,
    middle: &dyn Fn(usize) -> f64,
    out: &mut String,
) {
    const STEP: f64 = 14.0;
    let mut counts: BTreeMap<(usize, i64, &'static str), usize> = BTreeMap::new();
    for row in rows {
        if let Some(lane) = lane_of(row) {
            *counts
                .entry((lane, rounded(x_of(row) / STEP), kind(row)))
                .or_default() += 1;
        }
    }
    let most = counts.values().max().copied().unwrap_or(1);
    for ((lane, bin, kind), number) in counts {
        let place = KINDS
            .iter()
            .position(|(known, _)| *known == kind)
            .unwrap_or(0);
        // Each kind has a height of its own in the lane.
        let y = middle(lane)
            + [0.0, -26.0, 26.0, 34.0, -14.0]
                .get(place)
                .copied()
                .unwrap_or(0.0);
        let size = 2.5 + 4.5 * (as_count(number) / as_count(most)).sqrt();
        out.push_str(&format!(
            "{}<title>{number} {kind}</title></g>\n",
            mark(kind, as_float(bin) * STEP, y, size)
        ));
    }
}

/// How long half of the changes stood in the environment before production, at least.
fn soak(report: &Report) -> Option<String> {
    let production = report.verdicts.production.as_ref()?;
    let mut earlier: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let mut stood = Vec::new();
    for row in report
        .population
        .iter()
        .filter(|row| row.outcome == "succeeded" && row.action == "apply")
    {
        let (Some(id), Some(blake3)) = (&row.migration, &row.blake3) else {
            continue;
        };
        let key = (id.as_str(), blake3.as_str());
        let at = row.at.unix_millis();
        match row.environment == *production {
            true => stood.extend(earlier.get(&key).map(|before| at.saturating_sub(*before))),
            false => {
                earlier.insert(key, at);
            }
        }
    }
    stood.sort_unstable();
    let median = stood.get(stood.len() / 2)?;
    let time = std::time::Duration::from_millis(u64::try_from(*median).unwrap_or(0));
    Some(length_of_time(time))
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
const fn as_float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
const fn as_count(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a place in a picture")]
fn rounded(number: f64) -> i64 {
    number.round() as i64
}
