//! When an environment may be changed, and when not: windows and freezes of the policy. Pure: the instant
//! is handed in, and the rules of time zones are compiled in (the IANA database, by `jiff`), so the same
//! plan comes out on a machine without any.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

use super::Timestamp;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY: u16 = 24 * 60;

/// Hours of the week in which an environment may be changed: `Mon-Thu 09:00-16:00 Europe/Berlin`.
///
/// The first minute counts, the last one does not: at 16:00:00 it is closed. Hours that pass midnight
/// (`22:00-02:00`) belong to the day on which they begin. Written and compared as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    text: String,
    /// From Monday.
    days: [bool; 7],
    /// Minutes since midnight.
    from: u16,
    /// The same; less than `from`, or equal, where they pass midnight.
    to: u16,
    zone: TimeZone,
}

/// A stretch of time in which nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Freeze {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// Why.
    pub reason: String,
}

impl Freeze {
    /// Whether it holds at an instant.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.to
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Window {
    /// Reads `Mon-Thu 09:00-16:00 Europe/Berlin`: days or ranges of days with commas between them, hours,
    /// and the name of a time zone.
    ///
    /// # Errors
    /// A clause that says what cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [days, hours, zone] = words[..] else {
            return Err("is not days, hours and a time zone".to_owned());
        };
        let (from, to) = hours
            .split_once('-')
            .and_then(|(from, to)| Some((minute(from)?, minute(to)?)))
            .filter(|(from, to)| *from < DAY && *to > 0 && from != to)
            .ok_or_else(|| format!("has hours that cannot be read: {hours}"))?;
        Ok(Self {
            text: words.join(" "),
            days: read_days(days).ok_or_else(|| format!("has days that cannot be read: {days}"))?,
            from,
            to,
            zone: read_zone(zone)?,
        })
    }

    fn local(&self, now: Timestamp) -> Option<DateTime> {
        let now = jiff::Timestamp::from_millisecond(now.unix_millis()).ok()?;
        Some(now.to_zoned_datetime(self.zone.clone()).datetime())
    }

    /// Whether it is open at an instant. Of one that no calendar has, it is not.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let Some(local) = self.local(now) else {
            return false;
        };
        let at = minutes(local);
        let today = local.weekday().to_monday_zero_offset();
        let on = |day: i8| {
            let day = usize::try_from(day.rem_euclid(7)).unwrap_or_default();
            self.days.get(day).copied().unwrap_or_default()
        };
        if self.from < self.to {
            on(today) && self.from <= at && at < self.to
        } else {
            (on(today) && self.from <= at) || (on(today - 1) && at < self.to)
        }
    }

    /// When it opens next, from an instant at which it is closed.
    #[must_use]
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let today = self.local(now)?.date();
        let opening = |ahead: i64| {
            let date = today.checked_add(ahead.days()).ok()?;
            let day = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
            let at = date.at(
                i8::try_from(self.from / 60).ok()?,
                i8::try_from(self.from % 60).ok()?,
                0,
                0,
            );
            let is_day = self.days.get(day).copied().unwrap_or_default();
            is_day.then(|| instant(at, &self.zone)).flatten()
        };
        (0..=7).filter_map(opening).find(|opens| *opens > now)
    }

    /// An instant as its clock on the wall has it, for people: `Fri 2026-11-27 16:00 Europe/Berlin`.
    #[must_use]
    pub fn wall(&self, at: Timestamp) -> String {
        let Some(local) = self.local(at) else {
            return at.minute();
        };
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
        let day = DAYS.get(day).copied().unwrap_or_default();
        let name = self.zone.iana_name().unwrap_or("UTC");
        format!(
            "{day} {} {:02}:{:02} {name}",
            local.date(),
            local.hour(),
            local.minute()
        )
    }
}

/// Reads an instant as people write one: RFC 3339 (`2026-12-20T00:00:00+01:00`), or a date, a time and the
/// name of a time zone (`2026-12-20 00:00 Europe/Berlin`).
///
/// # Errors
/// A clause that says what cannot be read, or that no time zone is named.
pub fn read_instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let [date, time, zone] = words[..] else {
        return Err("is no date, time and time zone".to_owned());
    };
    let date: Date = date
        .parse()
        .map_err(|_| format!("has a date that cannot be read: {date}"))?;
    let at = minute(time)
        .filter(|at| *at < DAY)
        .and_then(|at| {
            Some(date.at(
                i8::try_from(at / 60).ok()?,
                i8::try_from(at % 60).ok()?,
                0,
                0,
            ))
        })
        .ok_or_else(|| format!("has a time that cannot be read: {time}"))?;
    instant(at, &read_zone(zone)?).ok_or_else(|| "is beyond every calendar".to_owned())
}

/// Where the clock on the wall passes that time twice, the first one; where it never does, the first
/// instant after the gap.
fn instant(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = at.to_zoned_datetime(zone.clone()).ok()?;
    Some(Timestamp::from_unix_millis(
        zoned.timestamp().as_millisecond(),
    ))
}

fn read_zone(name: &str) -> Result<TimeZone, String> {
    // What an abbreviation means depends on who reads it.
    let is_plain = name == "UTC" || name.contains('/');
    is_plain
        .then(|| TimeZoneDatabase::bundled().get(name).ok())
        .flatten()
        .ok_or_else(|| format!("names no time zone: {name}"))
}

fn minutes(local: DateTime) -> u16 {
    let (hour, minute) = (local.hour().unsigned_abs(), local.minute().unsigned_abs());
    u16::from(hour) * 60 + u16::from(minute)
}

/// `09:00` as minutes since midnight; `24:00` is the end of a day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute): (u16, u16) = match digits(hour) && digits(minute) {
        true => (hour.parse().ok()?, minute.parse().ok()?),
        false => return None,
    };
    let at = hour * 60 + minute;
    (minute < 60 && at <= DAY).then_some(at)
}

fn read_days(text: &str) -> Option<[bool; 7]> {
    let day = |word: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(word));
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut at = first;
        loop {
            *days.get_mut(at)? = true;
            if at == last {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        read_instant(text).unwrap()
    }

    #[test]
    fn a_window_is_open_from_its_first_minute_to_before_its_last() {
        let window = Window::parse("Mon-Thu 09:00-16:00  Europe/Berlin").unwrap();
        assert_eq!(window.to_string(), "Mon-Thu 09:00-16:00 Europe/Berlin");
        for (instant, open) in [
            // Thursday, in winter an hour ahead of UTC.
            ("2026-11-26T07:59:59.999Z", false),
            ("2026-11-26T08:00:00.000Z", true),
            ("2026-11-26T14:59:59.999Z", true),
            ("2026-11-26T15:00:00.000Z", false),
            // In summer two.
            ("2026-07-02T07:00:00.000Z", true),
            ("2026-07-02T14:00:00.000Z", false),
            // Friday.
            ("2026-11-27T10:00:00.000Z", false),
        ] {
            assert_eq!(window.is_open(at(instant)), open, "{instant}");
        }
        let friday = at("2026-11-27T10:00:00.000Z");
        let opens = window.opens(friday).unwrap();
        assert_eq!(window.wall(opens), "Mon 2026-11-30 09:00 Europe/Berlin");
        assert!(window.is_open(opens));
    }

    #[test]
    fn hours_that_pass_midnight_belong_to_the_day_they_begin_on() {
        let window = Window::parse("Sat,Mon 22:00-02:00 UTC").unwrap();
        for (instant, open) in [
            ("2026-11-28T21:59:59.000Z", false),
            ("2026-11-28T22:00:00.000Z", true),
            ("2026-11-29T01:59:59.000Z", true),
            ("2026-11-29T02:00:00.000Z", false),
            ("2026-11-29T23:00:00.000Z", false),
            ("2026-12-01T01:00:00.000Z", true),
        ] {
            assert_eq!(window.is_open(at(instant)), open, "{instant}");
        }
    }

    #[test]
    fn a_clock_that_is_set_forward_or_back_closes_no_window_for_good() {
        // 02:30 does not exist on 29 March 2026 in Berlin, and comes twice on 25 October.
        let window = Window::parse("Sun 02:30-05:00 Europe/Berlin").unwrap();
        assert_eq!(
            window.opens(at("2026-03-28T12:00:00.000Z")),
            Some(at("2026-03-29T01:30:00.000Z"))
        );
        assert!(window.is_open(at("2026-03-29T01:30:00.000Z")));
        assert_eq!(
            window.opens(at("2026-10-24T12:00:00.000Z")),
            Some(at("2026-10-25T00:30:00.000Z"))
        );
        assert!(window.is_open(at("2026-10-25T00:30:00.000Z")));
    }

    #[test]
    fn a_week_goes_round() {
        let window = Window::parse("fri-mon 00:00-24:00 UTC").unwrap();
        assert!(window.is_open(at("2026-11-29T23:59:59.999Z")));
        assert!(!window.is_open(at("2026-12-01T00:00:00.000Z")));
        assert_eq!(
            window.opens(at("2026-12-01T00:00:00.000Z")),
            Some(at("2026-12-04T00:00:00.000Z"))
        );
    }

    #[test]
    fn what_is_no_window_is_named() {
        for (text, said) in [
            ("", "is not days, hours and a time zone"),
            ("Mon-Thu 09:00-16:00", "is not days, hours and a time zone"),
            ("Mo-Thu 09:00-16:00 UTC", "days that cannot be read"),
            ("Mon-Thu 9-16 UTC", "hours that cannot be read"),
            ("Mon-Thu 09:00-09:00 UTC", "hours that cannot be read"),
            ("Mon-Thu 24:00-09:00 UTC", "hours that cannot be read"),
            ("Mon-Thu 09:60-10:00 UTC", "hours that cannot be read"),
            ("Mon-Thu 09:00-16:00 CET", "names no time zone"),
            ("Mon-Thu 09:00-16:00 Europe/Bern", "names no time zone"),
        ] {
            let error = Window::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn instants_are_read_with_a_zone_only() {
        let noon = at("2026-12-20T12:00:00.000Z");
        for same in [
            "2026-12-20T13:00:00+01:00",
            "2026-12-20 13:00 Europe/Berlin",
            "2026-12-20 12:00 UTC",
        ] {
            assert_eq!(read_instant(same), Ok(noon), "{same}");
        }
        for wrong in [
            "2026-12-20",
            "2026-12-20 13:00",
            "2026-13-20 13:00 UTC",
            "2026-12-20 24:00 UTC",
        ] {
            assert!(read_instant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_freeze_ends_with_its_last_instant() {
        let freeze = Freeze {
            from: at("2026-12-20T00:00:00Z"),
            to: at("2027-01-02T00:00:00Z"),
            reason: "holidays".to_owned(),
        };
        assert!(!freeze.holds(at("2026-12-19T23:59:59.999Z")));
        assert!(freeze.holds(at("2026-12-20T00:00:00Z")));
        assert!(freeze.holds(at("2027-01-01T23:59:59.999Z")));
        assert!(!freeze.holds(at("2027-01-02T00:00:00Z")));
    }
}
