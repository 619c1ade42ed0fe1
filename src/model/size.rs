//! Numbers of bytes, for people.

/// `812 bytes`, `1.2 MB`. Cut off, never rounded up.
#[must_use]
pub fn size_in_words(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    match bytes {
        1 => return "1 byte".to_owned(),
        0..1_000 => return format!("{bytes} bytes"),
        _ => {}
    }
    let mut thousandths = bytes;
    let mut unit = UNITS[0];
    for next in UNITS.iter().skip(1) {
        if thousandths < 1_000_000 {
            break;
        }
        thousandths /= 1_000;
        unit = next;
    }
    let (whole, tenths) = (thousandths / 1_000, thousandths % 1_000 / 100);
    format!("{whole}.{tenths} {unit}")
}

#[cfg(test)]
mod tests {
    use super::size_in_words;

    #[test]
    fn sizes_read_well() {
        let sizes = [0, 1, 999, 1_000, 1_250_000, 5_368_709_120].map(size_in_words);
        let expected = [
            "0 bytes",
            "1 byte",
            "999 bytes",
            "1.0 kB",
            "1.2 MB",
            "5.3 GB",
        ];
        assert_eq!(sizes, expected);
    }
}
