//! A file whose bytes changed only because something converted its line endings.

use super::{Checksum, Sha256};

/// Whether a file would have the recorded checksum if all its lines ended in LF, or all in CRLF; and
/// has not got it as it is. For a message: other line endings are other bytes.
#[must_use]
pub fn differs_only_in_line_endings(file_bytes: &[u8], recorded: &Checksum) -> bool {
    differs_only(file_bytes, |bytes| Checksum::of(bytes) == *recorded)
}

/// The same for a SHA-256, which is what Prisma records. `prisma migrate dev` takes such a file for the
/// one that ran.
#[must_use]
pub fn sha256_differs_only_in_line_endings(file_bytes: &[u8], recorded: &Sha256) -> bool {
    differs_only(file_bytes, |bytes| Sha256::of(bytes) == *recorded)
}

fn differs_only(file_bytes: &[u8], is_recorded: impl Fn(&[u8]) -> bool) -> bool {
    if is_recorded(file_bytes) {
        return false;
    }
    let lf = to_lf(file_bytes);
    is_recorded(&lf) || is_recorded(&to_crlf(&lf))
}

fn to_lf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (place, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(place + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    out
}

fn to_crlf(lf: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(lf.len() + lf.len() / 16);
    for byte in lf {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_are_recognised_and_nothing_else() {
        let lf: &[u8] = b"a\nb\n\rc\r\r";
        let crlf: &[u8] = b"a\r\nb\r\n\rc\r\r";
        let mixed: &[u8] = b"a\r\nb\n\rc\r\r";
        assert!(differs_only_in_line_endings(crlf, &Checksum::of(lf)));
        assert!(differs_only_in_line_endings(lf, &Checksum::of(crlf)));
        assert!(differs_only_in_line_endings(mixed, &Checksum::of(lf)));
        assert!(differs_only_in_line_endings(mixed, &Checksum::of(crlf)));
        assert!(!differs_only_in_line_endings(lf, &Checksum::of(lf)));
        assert!(!differs_only_in_line_endings(
            b"a\nb\n\rc\r",
            &Checksum::of(lf)
        ));
        assert!(!differs_only_in_line_endings(b"", &Checksum::of(b"\n")));
    }
}
