//! Hashes of many values in no order: what stands in a table, whatever order its rows come in.

use std::fmt;

/// The hash of one value: the first 128 bits of BLAKE3 of a tag and the value's bytes. Not for what lasts: it is
/// compared with others that the same program took.
#[must_use]
pub(crate) fn short(tag: u8, bytes: &[u8]) -> u128 {
    // Most values are short, and hashing at one go is several times as fast as a hasher.
    let mut whole = [0; 256];
    let hash = match whole.get_mut(..=bytes.len()) {
        Some(room) => {
            room[0] = tag;
            room[1..].copy_from_slice(bytes);
            blake3::hash(room)
        }
        None => {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&[tag]);
            hasher.update(bytes);
            hasher.finalize()
        }
    };
    let mut out = [0; 16];
    out.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_le_bytes(out)
}

/// A hash of values in no order, each as often as it was added: the sum of their hashes, modulo 2^128. It
/// finds what happened by accident; whoever wants two bags to look alike, and has much time, can have that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bag(u128);

impl Bag {
    /// Adds one value's [`short`] hash.
    pub(crate) fn add(&mut self, hash: u128) {
        self.0 = self.0.wrapping_add(hash);
    }
}

impl fmt::Display for Bag {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_and_its_tag_are_hashed_and_the_length_does_not_matter() {
        let long = [7; 300];
        for end in [0, 1, 254, 255, 256, 257, 300] {
            let mut whole = vec![1];
            whole.extend(&long[..end]);
            let expected = blake3::hash(&whole);
            let found = short(1, &long[..end]).to_le_bytes();
            assert_eq!(found, expected.as_bytes()[..16], "{end}");
            assert_ne!(short(1, &long[..end]), short(2, &long[..end]));
        }
    }

    #[test]
    fn a_bag_has_no_order_and_counts() {
        let of = |values: &[u8]| {
            let mut bag = Bag::default();
            values.iter().for_each(|value| bag.add(short(*value, b"")));
            bag.to_string()
        };
        assert_eq!(of(&[1, 2, 3]), of(&[3, 1, 2]));
        assert_ne!(of(&[1, 1]), of(&[1]));
        assert_ne!(of(&[1, 1]), of(&[2, 2]));
        assert_eq!(of(&[]), "0".repeat(32));
    }
}
