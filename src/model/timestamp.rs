//! Instants. Nothing below `cli` reads the clock: an instant is always handed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// An instant in UTC, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 with exactly three decimals and `Z`: `2026-11-22T21:54:41.000Z`. The range
/// is the years 0001 to 9999; the clock is the writer's own and is not proven by anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that was meant to be an instant and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTimestampError(String);

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected an RFC 3339 instant, found {:?}", self.0)
    }
}

impl std::error::Error for ParseTimestampError {}

const FIRST: i64 = -62_135_596_800_000;
/// The Julian day of 1970-01-01.
const UNIX_JULIAN_DAY: i32 = 2_440_588;
const LAST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00Z, held within the years 0001 to 9999.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Self {
        Self(millis.clamp(FIRST, LAST))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    fn parts(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// For people: `2026-11-22 21:54 UTC`.
    #[must_use]
    pub fn minute(self) -> String {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
        self.parts().format(&format).unwrap_or_default()
    }

    /// The 14 digits that begin a migration's id: `20261122215441`.
    #[must_use]
    pub fn stamp(self) -> String {
        let format = format_description!("[year][month][day][hour][minute][second]");
        self.parts().format(&format).unwrap_or_default()
    }

    /// Reads the 14 digits that begin a migration's id; `None` where they name no instant.
    #[must_use]
    pub fn from_stamp(stamp: &str) -> Option<Self> {
        let format = format_description!("[year][month][day][hour][minute][second]");
        let parts = time::PrimitiveDateTime::parse(stamp, &format).ok()?;
        Some(Self(parts.assume_utc().unix_timestamp() * 1000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        f.write_str(&self.parts().format(&format).unwrap_or_default())
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(instant) = as_written(text) {
            return Ok(instant);
        }
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .and_then(|parts| i64::try_from(parts.unix_timestamp_nanos() / 1_000_000).ok())
            .map(Self::from_unix_millis)
            .ok_or_else(|| ParseTimestampError(text.to_owned()))
    }
}

/// Reads an instant in the very form that is written; `None` for every other one, and for what needs a
/// closer look (a leap second).
fn as_written(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let number = |from: usize, upto: usize| {
        bytes[from..upto].iter().try_fold(0i64, |number, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit < 10).then(|| number * 10 + i64::from(digit))
        })
    };
    let signs = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (23, b'Z'),
    ];
    if signs.iter().any(|(place, sign)| bytes[*place] != *sign) {
        return None;
    }
    let month = time::Month::try_from(u8::try_from(number(5, 7)?).ok()?).ok()?;
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = u8::try_from(number(8, 10)?).ok()?;
    let date = time::Date::from_calendar_date(year, month, day).ok()?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if year == 0 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from(date.to_julian_day() - UNIX_JULIAN_DAY);
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp(seconds * 1000 + number(20, 23)?))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::digest::from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_back_as_written() {
        for millis in [FIRST, -1, 0, 1, 1_795_384_481_123, LAST] {
            let instant = Timestamp::from_unix_millis(millis);
            assert_eq!(instant.to_string().parse(), Ok(instant), "{instant}");
        }
        assert_eq!(
            Timestamp::from_unix_millis(1_795_384_481_123).to_string(),
            "2026-11-22T21:54:41.123Z"
        );
        assert_eq!(
            Timestamp::from_unix_millis(1_795_384_481_123).stamp(),
            "20261122215441"
        );
    }

    #[test]
    fn what_is_read_quickly_is_read_alike() {
        for text in [
            "2026-11-22T21:54:41.123Z",
            "2024-02-29T00:00:00.000Z",
            "2023-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-11-31T00:00:00.000Z",
            "2026-11-22T24:00:00.000Z",
            "2026-11-22T23:59:60.000Z",
            "2016-12-31T23:59:60.000Z",
            "0000-01-01T00:00:00.000Z",
            "0001-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "1969-12-31T23:59:59.999Z",
            "2026-11-22T21:54:41.12aZ",
            "2026-11-22 21:54:41.123Z",
            "2026-11-22T21:54:41.123+",
            "2026-11-22T21:54:41.1234Z",
            "2026-11-22T21:54:41Z",
        ] {
            let slow = OffsetDateTime::parse(text, &Rfc3339)
                .ok()
                .map(|parts| parts.unix_timestamp_nanos() / 1_000_000)
                .and_then(|millis| i64::try_from(millis).ok())
                .map(Timestamp::from_unix_millis);
            assert_eq!(text.parse::<Timestamp>().ok(), slow, "{text}");
            let quick = as_written(text);
            assert!(quick.is_none() || quick == slow, "{text}");
        }
    }

    #[test]
    fn stamps_that_name_no_instant_are_none() {
        assert_eq!(Timestamp::from_stamp("20251103270000"), None);
        assert_eq!(
            Timestamp::from_stamp("20261122215441"),
            Some(Timestamp::from_unix_millis(1_795_384_481_000))
        );
    }
}
