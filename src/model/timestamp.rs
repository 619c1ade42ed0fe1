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
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .and_then(|parts| i64::try_from(parts.unix_timestamp_nanos() / 1_000_000).ok())
            .map(Self::from_unix_millis)
            .ok_or_else(|| ParseTimestampError(text.to_owned()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
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
    fn stamps_that_name_no_instant_are_none() {
        assert_eq!(Timestamp::from_stamp("20251103270000"), None);
        assert_eq!(
            Timestamp::from_stamp("20261122215441"),
            Some(Timestamp::from_unix_millis(1_795_384_481_000))
        );
    }
}
