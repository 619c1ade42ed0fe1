//! Checksums of scripts, and the hash that chains entries and receipts.
//!
//! Two digests are taken of the same exact bytes of a script: BLAKE3, which tollgate compares, and
//! SHA-256, which Prisma's rows use and `sha256sum` checks. Nothing is normalised before hashing.

mod bag;
mod line_endings;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::LazyLock;

use blake3::hazmat::{ContextKey, HasherExt as _, hash_derive_key_context};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

pub(crate) use bag::{Bag, short};
pub use line_endings::{differs_only_in_line_endings, sha256_differs_only_in_line_endings};

/// The context string of an entry's hash. Fixed for ever; see `docs/LEDGER.md`.
pub const ENTRY_CONTEXT: &str = "tollgate 2026 ledger entry v1";
static ENTRY_KEY: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(ENTRY_CONTEXT));
/// The context string of a receipt's hash. Fixed for ever; see `docs/LEDGER.md`.
pub const RECEIPT_CONTEXT: &str = "tollgate 2026 receipt v1";
/// The context string of a plan's id. Fixed for ever; see `docs/LEDGER.md`.
pub const PLAN_CONTEXT: &str = "tollgate 2026 plan id v1";
/// The context string of a saved plan's id. Fixed for ever; see `docs/LEDGER.md`.
pub const SAVED_PLAN_CONTEXT: &str = "tollgate 2026 saved plan v1";
/// The context string of a policy's digest. Fixed for ever; see `docs/LEDGER.md`.
pub const POLICY_CONTEXT: &str = "tollgate 2026 policy v1";
/// The context string of a schema's digest. Fixed for ever; see `docs/LEDGER.md`.
pub const SCHEMA_CONTEXT: &str = "tollgate 2026 schema v1";

/// A text that was meant to be a digest and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseDigestError {
    expected: &'static str,
    found: String,
}

impl fmt::Display for ParseDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.expected, self.found)
    }
}

impl std::error::Error for ParseDigestError {}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// Reads exactly `N` bytes of lower-case hexadecimal, `N` a multiple of four. Upper case is refused: one
/// value, one spelling.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    const { assert!(N.is_multiple_of(4), "they are read four at once") };
    let (digits, _) = text.as_bytes().as_chunks::<8>();
    if text.len() != N * 2 {
        return None;
    }
    let (mut out, mut wrong) = ([0; N], 0);
    for (bytes, digits) in out.as_chunks_mut::<4>().0.iter_mut().zip(digits) {
        let (four, others) = eight_digits(u64::from_le_bytes(*digits));
        *bytes = four;
        wrong |= others;
    }
    (wrong == 0).then_some(out)
}

/// The four bytes that eight digits mean, all at once: a ledger holds some hundred digits an entry. And 0; not
/// 0 where one of them is no digit.
const fn eight_digits(digits: u64) -> ([u8; 4], u64) {
    const ONE: u64 = 0x0101_0101_0101_0101;
    // A letter has bit 6, and counts from 1 in its lower half.
    let letters = digits >> 6 & ONE;
    let values = (digits & (0x0f * ONE)) + 9 * letters;
    // What they would be written as: only what they are is right.
    let above_nine = (values + 6 * ONE) >> 4 & ONE;
    let written = values + 0x30 * ONE + 0x27 * above_nine;
    let wrong = (written ^ digits) | (values & (0xf0 * ONE));
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let pairs = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    let four = (pairs | pairs >> 16) as u32;
    (four.to_le_bytes(), wrong)
}

/// Reads a text into what it says, without a copy of it.
pub(crate) fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Wraps 32 bytes that were computed elsewhere.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 64 hexadecimal digits, without any prefix.
            #[must_use]
            pub fn hex(&self) -> String {
                hex(&self.0)
            }

            /// Prefix and the first 12 digits: for people, never for comparison.
            #[must_use]
            pub fn short(&self) -> String {
                format!("{}{}", $prefix, hex(&self.0[..6]))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, self.hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseDigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix($prefix)
                    .and_then(unhex)
                    .map(Self)
                    .ok_or_else(|| ParseDigestError { expected: $expected, found: text.to_owned() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_text(deserializer)
            }
        }
    };
}

digest_type!(
    /// The checksum of a script: BLAKE3 of its exact bytes, written `blake3:<64 hex>`.
    Checksum, "blake3:", "blake3: and 64 lower-case hexadecimal digits"
);
digest_type!(
    /// SHA-256 of the exact bytes of a script, written as 64 hexadecimal digits.
    Sha256, "", "64 lower-case hexadecimal digits"
);
digest_type!(
    /// The hash of an entry, a receipt, a plan or a schema: BLAKE3 in key-derivation mode under one of this
    /// module's contexts, written as 64 hexadecimal digits.
    ChainHash, "", "64 lower-case hexadecimal digits"
);

impl Checksum {
    /// The checksum of these exact bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl Sha256 {
    /// SHA-256 of these exact bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

/// Both digests of bytes that come piece by piece.
#[derive(Debug, Clone, Default)]
pub struct Digests {
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
}

impl Digests {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
    }

    /// The digests of all pieces.
    #[must_use]
    pub fn finish(self) -> (Checksum, Sha256) {
        (
            Checksum(*self.blake3.finalize().as_bytes()),
            Sha256(self.sha256.finalize().into()),
        )
    }
}

impl ChainHash {
    /// `BLAKE3-derive_key(context, le64(len) || bytes)`.
    ///
    /// The length stands before the bytes so that no two inputs can be confused, and the context
    /// keeps entries, receipts, plans and schemas apart: the hash of one is never the hash of another.
    #[must_use]
    pub fn of(context: &'static str, bytes: &[u8]) -> Self {
        Self::of_pieces(context, &[bytes])
    }

    /// The same, of bytes that stand in pieces.
    #[must_use]
    pub fn of_pieces(context: &'static str, pieces: &[&[u8]]) -> Self {
        let mut hasher = match context == ENTRY_CONTEXT {
            // Hashed for every entry of a ledger: the context itself is hashed once.
            true => blake3::Hasher::new_from_context_key(&ENTRY_KEY),
            false => blake3::Hasher::new_derive_key(context),
        };
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        hasher.update(&(length as u64).to_le_bytes());
        for piece in pieces {
            hasher.update(piece);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the BLAKE3 and SHA-2 specifications: the digests of the empty input.
    #[test]
    fn empty_input_has_the_published_digests() {
        assert_eq!(
            Checksum::of(b"").to_string(),
            "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
        assert_eq!(
            Sha256::of(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn pieces_have_the_digests_of_the_whole() {
        let mut digests = Digests::default();
        digests.update(b"a ba");
        digests.update(b"ckup");
        let whole = b"a backup";
        assert_eq!(digests.finish(), (Checksum::of(whole), Sha256::of(whole)));
    }

    #[test]
    fn only_digits_are_digits_wherever_they_stand() {
        let digits = "0123456789abcdef";
        assert_eq!(
            unhex(digits),
            Some([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef])
        );
        for place in 0..16 {
            for other in 0..=0x7f {
                let mut text = digits.as_bytes().to_vec();
                text[place] = other;
                let text = String::from_utf8(text).unwrap();
                let read = unhex::<8>(&text);
                let is_digit = matches!(other, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!(read.is_some(), is_digit, "{text:?}");
                assert!(read.is_none_or(|read| hex(&read) == text), "{text:?}");
            }
            let text = format!(
                "{}é{}",
                &digits[..place.min(14)],
                &digits[place.min(14) + 2..]
            );
            assert_eq!(unhex::<8>(&text), None, "{text:?}");
        }
        assert_eq!(unhex::<8>(&digits[..15]), None);
        assert_eq!(unhex::<8>("0123456789abcdef0"), None);
    }

    #[test]
    fn one_value_has_one_spelling() {
        let checksum = Checksum::of(b"x");
        assert_eq!(
            checksum.to_string().parse::<Checksum>().as_ref(),
            Ok(&checksum)
        );
        assert!(
            checksum
                .to_string()
                .to_uppercase()
                .parse::<Checksum>()
                .is_err()
        );
        assert!(checksum.hex().parse::<Checksum>().is_err());
        assert!(checksum.to_string()[..70].parse::<Checksum>().is_err());
    }

    /// Golden vectors: these may never change, or every ledger in the world becomes unsound.
    #[test]
    fn chain_hashes_are_frozen() {
        assert_eq!(
            ChainHash::of(ENTRY_CONTEXT, b"").to_string(),
            GOLDEN_ENTRY_EMPTY
        );
        assert_ne!(
            ChainHash::of(ENTRY_CONTEXT, b"a"),
            ChainHash::of(RECEIPT_CONTEXT, b"a")
        );
        assert_ne!(
            ChainHash::of(PLAN_CONTEXT, b"a"),
            ChainHash::of(RECEIPT_CONTEXT, b"a")
        );
    }

    const GOLDEN_ENTRY_EMPTY: &str =
        "1639ecf74d6d81df685fe8ccc736a54c54cd3b549f7718f882cec9397278b0d3";
}
