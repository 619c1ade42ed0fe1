//! Names and ids.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{hex, unhex};

/// A text that is not the id it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError {
    /// What the text was meant to be, for a message.
    pub expected: &'static str,
    /// The text.
    pub found: String,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.expected, self.found)
    }
}

impl std::error::Error for ParseIdError {}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Wraps 16 bytes; the caller drew them from the operating system's generator.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The first 8 digits: for people, never for comparison.
            #[must_use]
            pub fn short(&self) -> String {
                hex(&self.0[..4])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                unhex(text)
                    .map(Self)
                    .ok_or_else(|| ParseIdError { expected: $expected, found: text.to_owned() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::digest::from_text(deserializer)
            }
        }
    };
}

random_id!(
    /// One ledger on one machine.
    WriterId, "a writer's id (32 hexadecimal digits)"
);
random_id!(
    /// One try to apply one migration.
    AttemptId, "an attempt's id (32 hexadecimal digits)"
);
random_id!(
    /// One life of one target: drawn when tollgate first enters it, kept in its identity row.
    IncarnationId, "an incarnation's id (32 hexadecimal digits)"
);

random_id!(
    /// One emergency: from its opening until the migration is reversed in the last environment.
    IncidentId, "an incident's id (32 hexadecimal digits)"
);

/// The id of a migration: the whole name of its folder, ordered by bytes.
///
/// A long ledger names the same few thousand again and again, so a copy shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MigrationId(Arc<str>);

impl MigrationId {
    /// Takes a folder's name as it is; every name that a file system can hold in UTF-8 is an id.
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The folder's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The leading digits, where the name begins with some; `0_init` has `0`.
    #[must_use]
    pub fn stamp(&self) -> Option<&str> {
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        (end > 0).then(|| &self.0[..end])
    }
}

impl FromStr for MigrationId {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

impl Serialize for MigrationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MigrationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::digest::from_text(deserializer)
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line feed in a folder's name could forge a line of a table.
        let shown = |c: char| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        };
        self.0
            .chars()
            .try_for_each(|c| fmt::Write::write_char(f, shown(c)))
    }
}

/// The name of an environment: 1 to 40 of `a-z 0-9 - _`, beginning with a letter. A copy shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentName(Arc<str>);

impl EnvironmentName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentName {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let good = text.len() <= 40
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(rest);
        if good {
            Ok(Self(Arc::from(text)))
        } else {
            Err(ParseIdError {
                expected: "an environment's name (a lower-case letter, then letters, digits, - or _; at most 40)",
                found: text.to_owned(),
            })
        }
    }
}

impl Serialize for EnvironmentName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EnvironmentName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::digest::from_text(deserializer)
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
