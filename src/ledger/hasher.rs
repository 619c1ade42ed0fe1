//! Hashing ids that were drawn at random, in maps of some hundred thousand.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// As many hashers as are asked for, with one key: drawn once a process, so that whoever writes the ids cannot
/// make them fall together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed([u64; 2]);

static KEYS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let drawn = RandomState::new();
    [drawn.hash_one(0u8), drawn.hash_one(1u8) | 1]
});

impl Default for Keyed {
    fn default() -> Self {
        Self(*KEYS)
    }
}

impl BuildHasher for Keyed {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        let [state, key] = self.0;
        IdHasher { state, key }
    }
}

/// Multiplies eight bytes at once.
#[derive(Debug)]
pub(super) struct IdHasher {
    state: u64,
    key: u64,
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            self.write_u64(u64::from_le_bytes(*eight));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            // Its length keeps it apart from one that ends in zeros.
            self.write_u64(u64::from_le_bytes(last) ^ ((rest.len() as u64) << 56));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.state ^ number) * u128::from(self.key);
        self.state = (product as u64) ^ (product >> 64) as u64;
    }

    /// The length of an id is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        let product = u128::from(self.state) * u128::from(self.key.rotate_left(32) | 1);
        (product as u64) ^ (product >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::AttemptId;

    #[test]
    fn ids_that_differ_in_one_bit_or_only_in_a_few_bytes_do_not_fall_together() {
        let keyed = Keyed::default();
        let mut ids: Vec<[u8; 16]> = Vec::new();
        for number in 0..4096u16 {
            for place in 0..15 {
                let mut id = [0; 16];
                id[place..place + 2].copy_from_slice(&number.to_be_bytes());
                ids.push(id);
            }
        }
        let ids: HashSet<[u8; 16]> = ids.into_iter().collect();
        let hashes: HashSet<u64> = ids
            .iter()
            .map(|id| keyed.hash_one(AttemptId::from_bytes(*id)))
            .collect();
        assert_eq!(hashes.len(), ids.len());
        // A table looks at the lowest bits first.
        let buckets: HashSet<u64> = hashes.iter().map(|hash| hash & 0xffff).collect();
        assert!(buckets.len() > 30_000, "{}", buckets.len());
    }
}
